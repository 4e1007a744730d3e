import { stringify } from 'yaml';
import { ApiError } from '../port.ts';

/** YAML is made in one step of the loop. */
const longest = 4 * 1024 * 1024;

/** A JSON text as the YAML that sigs.k8s.io/yaml makes of it: keys sorted, lists not indented. Throws 406 when it is long. */
export function yamlText(json: string): string {
  if (json.length > longest)
    throw new ApiError(
      406,
      'NotAcceptable',
      `this answer is longer than the ${longest} characters that are shown as YAML; ask for application/json, or for pages with limit`,
    );
  return stringify(JSON.parse(json), {
    version: '1.1',
    sortMapEntries: true,
    indentSeq: false,
    lineWidth: 0,
    aliasDuplicateObjects: false,
  });
}
