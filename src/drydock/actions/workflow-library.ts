import { registerHooks } from 'node:module';

/**
 * `@actions/workflow-parser` imports its schemas as JSON without the import attribute Node requires. The hook adds the
 * attribute for that package only, and only while it loads. https://github.com/actions/languageservices
 */
const hooks = registerHooks({
  load(url, context, nextLoad) {
    const lacksAttribute = url.includes('/@actions/workflow-parser/') && url.endsWith('.json');
    return nextLoad(url, lacksAttribute ? { ...context, importAttributes: { type: 'json' } } : context);
  },
});

/** GitHub's own parsers of workflow and action files, loaded. */
export const workflowParser = await import('@actions/workflow-parser');
export const actionParser = await import('@actions/workflow-parser/actions/action-parser');
hooks.deregister();
