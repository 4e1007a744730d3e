import { AppError } from '#base/errors.ts';
import { getArray, getString } from '#base/json.ts';
import type { Leg } from '../story.ts';
import { kubectlJson, slipway, waitForApplication, waitForVersion } from '../tools.ts';

/** From a running container back to the person: forward to 1.5.0 again, then ask who shipped it. */
export const trace: Leg = {
  id: 'trace',
  title: 'roll forward to 1.5.0, then trace a production pod',
  async run(context) {
    await slipway(context, ['rollback', 'myshop-api-prod']);
    const url = context.facts.get('prod-url') ?? '';
    await waitForVersion(context, { url, version: '1.5.0', timeoutMs: 30_000 });
    await waitForApplication(context, 'myshop-api-prod', { sync: 'Synced', health: 'Healthy', timeoutMs: 30_000 });
    const pods = await kubectlJson(context, [
      'get',
      'pods',
      '-n',
      'myshop-prod',
      '-l',
      'app.kubernetes.io/name=myshop-api',
    ]);
    const running = getArray(pods, 'items').filter(
      (entry) => getString(entry, 'metadata', 'deletionTimestamp') === undefined,
    );
    const pod = getString(running[0], 'metadata', 'name');
    if (!pod) throw new AppError('not-found', 'there is no pod in myshop-prod');
    const started = performance.now();
    const { stdout } = await slipway(context, ['trace', `pod/${pod}`, '-n', 'myshop-prod']);
    context.measure('trace', performance.now() - started);
    for (const line of stdout.trimEnd().split('\n')) context.say(line);
    const { developer, reviewer } = context.world;
    const wanted = {
      digest: 'sha256:',
      run: context.facts.get('release-run') ?? '?',
      author: developer.name,
      tag: 'v1.5.0',
      approver: reviewer.login,
    };
    const missing = Object.entries(wanted).filter(([, text]) => !stdout.includes(text));
    if (missing.length > 0) {
      throw new AppError('not-found', `the trace does not say the ${missing.map(([name]) => name).join(', the ')}`);
    }
  },
};
