import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SchemaField } from './go-source.ts';
import { firstSentence } from './go-source.ts';

/** One generated class of client-node; field types keep their class names, scalars become the schema's. */
export function modelClass(modelsDir: string, name: string): { doc: string; fields: SchemaField[] } | undefined {
  const file = join(modelsDir, `${name}.js`);
  if (!existsSync(file)) return undefined;
  const code = readFileSync(file, 'utf8');
  const declarations = readFileSync(join(modelsDir, `${name}.d.ts`), 'utf8');
  const body = /attributeTypeMap = (\[[\s\S]*?\n\]);/.exec(code)?.[1] ?? '[]';
  const attributes: { name: string; baseName: string; type: string; format: string }[] = JSON.parse(body);
  const fields = attributes.map((attribute): SchemaField => {
    const declared = new RegExp(`(?:/\\*\\*\\s*\\*([^/]*?)\\*/\\s*)?'${attribute.name}'(\\?)?: `).exec(declarations);
    return {
      name: attribute.baseName,
      type: scalar(attribute.type, attribute.format),
      pointer: false,
      omitEmpty: true,
      required: declared?.[2] === undefined,
      doc: firstSentence(unescapeDoc(declared?.[1] ?? '')),
    };
  });
  const doc = /\*\/\s*\/\*\*\s*\*([^/]*?)\*\/\s*export declare class/.exec(declarations)?.[1] ?? '';
  return { doc: firstSentence(unescapeDoc(doc)), fields };
}

function unescapeDoc(text: string): string {
  return text.replaceAll("\\'", "'").replaceAll('\\"', '"').replace(/\s+/g, ' ').trim();
}

/** The schema's name of a scalar; class names stay. */
export function scalar(type: string, format: string): string {
  switch (type) {
    case 'number':
      return format === 'int64' || format === 'int32' ? format : 'float64';
    case 'boolean':
      return 'bool';
    case 'Date':
      return 'Time';
    case 'V1MicroTime':
      return 'MicroTime';
    case 'IntOrString':
      return 'IntOrString';
    case 'any':
      return 'JSON';
    case 'string':
      return format === 'byte' ? 'bytes' : format === 'date-time' ? 'Time' : 'string';
    default:
      return type;
  }
}
