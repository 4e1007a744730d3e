import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { AppError } from '#base/errors.ts';
import { isObject, type JsonObject } from '#base/json.ts';

/** The text of a file named on the command line, `-` being standard input. */
export function readGiven(cwd: string, file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : resolve(cwd, file), 'utf8');
  } catch (cause) {
    throw new AppError('not-found', `${file === '-' ? 'standard input' : file} cannot be read`, { cause });
  }
}

/** The objects of a YAML or JSON file; those of a List one by one. Empty documents are passed over. */
export function parseGiven(text: string, file: string): JsonObject[] {
  const documents = parseAllDocuments(text);
  const objects: JsonObject[] = [];
  for (const document of 'empty' in documents ? [] : documents) {
    const [error] = document.errors;
    if (error) throw new AppError('bad-input', `${file}: ${error.message}`);
    const value: unknown = document.toJS();
    if (value === null || value === undefined) continue;
    if (!isObject(value)) throw new AppError('bad-input', `${file}: a document is no object`);
    const items = value['items'];
    if (String(value['kind']).endsWith('List') && Array.isArray(items)) objects.push(...items.filter(isObject));
    else objects.push(value);
  }
  return objects;
}

/** The objects of one kind in a file. Throws when there is another kind, or none. */
export function readObjects(cwd: string, file: string, kind: string): JsonObject[] {
  const bare = (object: JsonObject) => object['kind'] === undefined && object['apiVersion'] === undefined;
  const objects = parseGiven(readGiven(cwd, file), file).map((object) =>
    bare(object) ? { apiVersion: 'argoproj.io/v1alpha1', kind, ...object } : object,
  );
  const other = objects.find((object) => object['kind'] !== kind);
  if (other) throw new AppError('bad-input', `${file} holds a ${String(other['kind'])}, and ${kind} is asked for`);
  if (objects.length === 0) throw new AppError('bad-input', `${file} holds no ${kind}`);
  return objects;
}
