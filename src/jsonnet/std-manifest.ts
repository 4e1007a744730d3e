import { builtin, type Library } from './builtin.ts';
import { JsonnetError } from './error.ts';
import { type Json, jsonText, type Layout, membersOf, plainLayout, quote, toJson, toText } from './manifest.ts';
import { arrayOf, booleanOf, numberText, objectOf, shortNumberText, textOf } from './operators.ts';
import { tomlText } from './toml.ts';
import { JsonnetArray, JsonnetObject, type Value } from './values.ts';

const writtenLayout: Layout = { ...plainLayout, number: shortNumberText };
const wide: Layout = { ...writtenLayout, indent: '    ', newline: '\n' };
const narrow: Layout = { ...writtenLayout, comma: ',', colon: ':', emptyArray: '[]', emptyObject: '{}' };

function jsonEx(value: Value, indent: Value, newline: Value, separator: Value): string {
  const layout: Layout = {
    ...writtenLayout,
    indent: textOf(indent, 'indent'),
    newline: newline === undefined ? '\n' : textOf(newline, 'newline'),
    colon: separator === undefined ? ': ' : textOf(separator, 'key_val_sep'),
  };
  return jsonText(toJson(value, 'the value'), layout);
}

interface YamlStyle {
  indentArrays: boolean;
  quoteKeys: boolean;
}

const reserved = /^(?:true|false|yes|no|on|off|null|y|n|~|[-+]?\.inf|\.nan|-|---|)$/i;

function yamlKey(name: string, style: YamlStyle): string {
  if (style.quoteKeys) return quote(name);
  const numeric = /^[-+]?[0-9_]*\.?[0-9_]+(?:e[-+]?[0-9]+)?$/i.test(name) || /^0[xbo][0-9a-f_]+$/i.test(name);
  const date = /^\d+-\d+-\d+$/.test(name);
  return /^[\w./-]+$/.test(name) && !reserved.test(name) && !numeric && !date ? name : quote(name);
}

function isFilled(value: Json): 'array' | 'object' | undefined {
  if (Array.isArray(value)) return value.length > 0 ? 'array' : undefined;
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0 ? 'object' : undefined;
}

function yamlText(value: Json, style: YamlStyle, indent: string): string {
  if (typeof value === 'string') {
    if (!value.endsWith('\n')) return quote(value);
    return ['|', ...value.slice(0, -1).split('\n')].join(`\n${indent}  `);
  }
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return shortNumberText(value);
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    const lines = value.map((item) => {
      const filled = isFilled(item);
      const inner = filled ? `${indent}  ` : indent;
      return `-${filled === 'array' ? `\n${inner}` : ' '}${yamlText(item, style, inner)}`;
    });
    return lines.join(`\n${indent}`);
  }
  const entries = membersOf(value);
  if (entries.length === 0) return '{}';
  const lines = entries.map(([name, item]) => {
    const filled = isFilled(item);
    const inner = filled === 'object' || (filled === 'array' && style.indentArrays) ? `${indent}  ` : indent;
    return `${yamlKey(name, style)}:${filled ? `\n${inner}` : ' '}${yamlText(item, style, inner)}`;
  });
  return lines.join(`\n${indent}`);
}

function yamlStyle(indentArrays: Value, quoteKeys: Value): YamlStyle {
  return {
    indentArrays: indentArrays !== undefined && booleanOf(indentArrays, 'indent_array_in_object'),
    quoteKeys: quoteKeys === undefined || booleanOf(quoteKeys, 'quote_keys'),
  };
}

function yamlStream(value: Value, style: YamlStyle, endMark: boolean): string {
  const documents = arrayOf(value, 'value')
    .values()
    .map((item) => yamlText(toJson(item, 'a document'), style, ''));
  return `---\n${documents.join('\n---\n')}${endMark ? '\n...\n' : '\n'}`;
}

function pythonText(value: Json): string {
  if (value === null) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (typeof value === 'number') return numberText(value);
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return `[${value.map(pythonText).join(', ')}]`;
  return `{${membersOf(value)
    .map(([name, item]) => `${quote(name)}: ${pythonText(item)}`)
    .join(', ')}}`;
}

function pythonVars(value: Value): string {
  const object = toJson(objectOf(value, 'conf'), 'conf');
  if (typeof object !== 'object' || object === null || Array.isArray(object)) return '';
  return [...membersOf(object).map(([name, item]) => `${name} = ${pythonText(item)}`), ''].join('\n');
}

function iniText(value: Value): string {
  const ini = objectOf(value, 'ini');
  const body = (section: JsonnetObject): string[] =>
    section.fields(false).flatMap((name) => {
      const item = section.get(name) ?? null;
      const items = item instanceof JsonnetArray ? item.values() : [item];
      return items.map((one) => `${name} = ${toText(one)}`);
    });
  const lines: string[] = [];
  if (ini.has('main', true)) lines.push(...body(objectOf(ini.get('main') ?? null, 'main')));
  const sections = objectOf(ini.get('sections') ?? null, 'sections');
  for (const name of sections.fields(false))
    lines.push(`[${name}]`, ...body(objectOf(sections.get(name) ?? null, `section ${name}`)));
  return [...lines, ''].join('\n');
}

function xmlText(value: Value): string {
  if (typeof value === 'string') return value;
  const [tag, second, ...others] = arrayOf(value, 'an element of JsonML').values();
  if (tag === undefined) throw new JsonnetError('an element of JsonML has a name');
  const attributes = second instanceof JsonnetObject ? second : undefined;
  const children = attributes || second === undefined ? others : [second, ...others];
  const written = (attributes?.fields(false) ?? [])
    .map((name) => ` ${name}="${toText(attributes?.get(name) ?? null)}"`)
    .join('');
  const name = textOf(tag, 'the name of an element');
  return `<${name}${written}>${children.map(xmlText).join('')}</${name}>`;
}

export const manifestLibrary: Library = new Map<string, Value>([
  ['manifestJson', builtin('value', (value) => jsonText(toJson(value, 'the value'), wide))],
  ['manifestJsonMinified', builtin('value', (value) => jsonText(toJson(value, 'the value'), narrow))],
  ['manifestJsonEx', builtin('value, indent, newline=, key_val_sep=', jsonEx)],
  [
    'manifestYamlDoc',
    builtin('value, indent_array_in_object=, quote_keys=', (value, indentArrays, quoteKeys) =>
      yamlText(toJson(value, 'the value'), yamlStyle(indentArrays, quoteKeys), ''),
    ),
  ],
  [
    'manifestYamlStream',
    builtin('value, indent_array_in_object=, c_document_end=, quote_keys=', (value, indentArrays, endMark, quoteKeys) =>
      yamlStream(
        value,
        yamlStyle(indentArrays, quoteKeys),
        endMark === undefined || booleanOf(endMark, 'c_document_end'),
      ),
    ),
  ],
  ['manifestPython', builtin('v', (value) => pythonText(toJson(value, 'the value')))],
  ['manifestPythonVars', builtin('conf', pythonVars)],
  ['manifestIni', builtin('ini', iniText)],
  ['manifestToml', builtin('value', (value) => tomlText(toJson(objectOf(value, 'value')), '  '))],
  [
    'manifestTomlEx',
    builtin('value, indent', (value, indent) => tomlText(toJson(objectOf(value, 'value')), textOf(indent, 'indent'))),
  ],
  ['manifestXmlJsonml', builtin('value', xmlText)],
]);
