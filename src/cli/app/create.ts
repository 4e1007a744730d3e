import type { Command } from 'commander';
import { AppError } from '#base/errors.ts';
import { getString, type JsonObject } from '#base/json.ts';
import type { ApplicationSpec } from '#model/argocd/application.ts';
import { inClusterServer } from '#model/argocd/names.ts';
import { parseApplication } from '../answers.ts';
import { queryText } from '../client.ts';
import { readGiven, readObjects } from '../documents.ts';
import { type OutputOption, type Session, withOutput } from '../session.ts';
import { getResult } from './get.ts';
import { changeSpec } from './spec-change.ts';
import { collect, type SpecFlags, withSpecFlags } from './spec-flags.ts';

interface CreateFlags extends SpecFlags, OutputOption {
  file?: string;
  appNamespace?: string;
  upsert?: boolean;
  validate: boolean;
  setFinalizer?: boolean;
  name?: string;
  label?: string[];
  annotations?: string[];
}

export function registerAppCreate(app: Command, session: Session): void {
  withSpecFlags(withOutput(app.command('create [name]')))
    .description('create an application, from flags or from a file')
    .option('-f, --file <file>', 'Application manifest, - for standard input')
    .option('--name <name>', 'as which the application of a file is created; else as the name before the flags')
    .option('-N, --app-namespace <name>', 'namespace of the Application object')
    .option('--upsert', 'change the one that is there')
    .option('--no-validate', 'do not look at repository and cluster first')
    .option('--set-finalizer', 'deleting the application deletes what it manages')
    .option('-l, --label <assignment>', 'KEY=VALUE; may be repeated', collect)
    .option('--annotations <assignment>', 'KEY=VALUE; may be repeated', collect)
    .action(async (name: string | undefined, flags: CreateFlags) => {
      const query = queryText({ upsert: flags.upsert, validate: flags.validate });
      for (const object of objectsOf(session.deps.cwd, name, flags)) {
        const answer = await session.client.request('POST', `/api/v1/applications${query}`, object);
        const created = parseApplication(answer);
        const { text, ...rest } = getResult(created, false);
        session.show(
          { ...rest, text: (wide) => `application ${created.metadata.name} created\n\n${text(wide)}` },
          flags,
        );
      }
    });
}

function objectsOf(cwd: string, name: string | undefined, flags: CreateFlags): JsonObject[] {
  const literal = flags.valuesLiteralFile === undefined ? undefined : readGiven(cwd, flags.valuesLiteralFile);
  const { source, sources, ...spec } = changeSpec(blank(flags), flags, { literal });
  const ofFlags = { ...spec, ...(sources ? { sources } : { source }) };
  if (flags.file !== undefined) {
    const objects = readObjects(cwd, flags.file, 'Application');
    const named = objects.map((object) => (name === undefined ? object : withName(object, name)));
    return named.map((object) => withMetadata(withSpec(renamed(object, flags.name), flags, literal), flags));
  }
  const called = name ?? flags.name;
  if (called === undefined) throw new AppError('bad-input', 'an application needs a name, or a file with --file');
  if (!flags.repo)
    throw new AppError('bad-input', `application ${called} needs a source`, {
      hint: 'add --repo, and --path or --helm-chart',
    });
  const apiVersion = 'argoproj.io/v1alpha1';
  return [withMetadata({ apiVersion, kind: 'Application', metadata: { name: called }, spec: ofFlags }, flags)];
}

function blank(flags: CreateFlags) {
  const destination = flags.destName === undefined ? { server: flags.destServer ?? inClusterServer } : {};
  return { project: 'default', destination };
}

const aboutCreation = 'file name appNamespace upsert validate setFinalizer label annotations output'.split(' ');

/** What the flags say of the specification goes over that of the file, as with `argocd`. */
function withSpec(object: JsonObject, flags: CreateFlags, literal: string | undefined): JsonObject {
  const speaks = Object.entries(flags).some(([key, value]) => value !== undefined && !aboutCreation.includes(key));
  if (!speaks) return object;
  const spec = { project: 'default', destination: {}, ...(object['spec'] as Partial<ApplicationSpec>) };
  return { ...object, spec: changeSpec(spec, flags, { literal }) };
}

function renamed(object: JsonObject, name: string | undefined): JsonObject {
  return name === undefined ? object : { ...object, metadata: { ...(object['metadata'] as JsonObject), name } };
}

function withName(object: JsonObject, name: string): JsonObject {
  const own = getString(object, 'metadata', 'name');
  if (own !== undefined && own !== name)
    throw new AppError('bad-input', `the file says ${own} and the command line ${name}: which one is meant?`);
  return { ...object, metadata: { ...(object['metadata'] as JsonObject | undefined), name } };
}

function pairs(texts: readonly string[] | undefined): Record<string, string> {
  return Object.fromEntries(
    (texts ?? []).map((text) => {
      const at = text.indexOf('=');
      if (at <= 0) throw new AppError('bad-input', `"${text}" is not of the form KEY=VALUE`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

function withMetadata(object: JsonObject, flags: CreateFlags): JsonObject {
  const metadata = (object['metadata'] ?? {}) as JsonObject;
  const labels = { ...(metadata['labels'] as JsonObject | undefined), ...pairs(flags.label) };
  const annotations = { ...(metadata['annotations'] as JsonObject | undefined), ...pairs(flags.annotations) };
  return {
    ...object,
    metadata: {
      ...metadata,
      ...(flags.appNamespace === undefined ? {} : { namespace: flags.appNamespace }),
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
      ...(flags.setFinalizer ? { finalizers: ['resources-finalizer.argocd.argoproj.io'] } : {}),
    },
  };
}
