import { AppError, messageOf } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import { parseYamlDocuments } from '#base/yaml.ts';
import type { Params } from '../params.ts';
import type { GeneratorInput } from '../port.ts';

function flat(element: Params): Params {
  const out: Params = {};
  const text = (value: unknown, where: string) => {
    if (typeof value === 'string') return value;
    throw new AppError(
      'bad-input',
      `list generator: error parsing value of ${where} as string: it is ${JSON.stringify(value)}`,
      {
        hint: 'write it in quotes, or set goTemplate: true',
      },
    );
  };
  for (const [key, value] of Object.entries(element)) {
    if (key !== 'values') out[key] = text(value, key);
    else if (!isObject(value)) throw new AppError('bad-input', 'list generator: error parsing values map');
    else for (const [name, member] of Object.entries(value)) out[`values.${name}`] = text(member, `values.${name}`);
  }
  return out;
}

function yamlElements(text: string): Params[] {
  let parsed: unknown;
  try {
    parsed = parseYamlDocuments(text, 'elementsYaml')[0] ?? [];
  } catch (error) {
    throw new AppError('bad-input', `list generator: error unmarshling decoded ElementsYaml: ${messageOf(error)}`);
  }
  if (!Array.isArray(parsed) || !parsed.every(isObject))
    throw new AppError('bad-input', 'list generator: elementsYaml is not a list of objects');
  return parsed;
}

/** The elements as they are written; without Go templates their values must be texts. */
export function generateList({ spec }: GeneratorInput, goTemplate: boolean): Params[] {
  const { elements, elementsYaml } = spec;
  const listed: unknown[] = Array.isArray(elements) ? elements : [];
  const params = listed.map((element) => {
    if (!isObject(element)) throw new AppError('bad-input', 'list generator: an element is not an object');
    return goTemplate ? element : flat(element);
  });
  return typeof elementsYaml === 'string' && elementsYaml !== '' ? [...params, ...yamlElements(elementsYaml)] : params;
}
