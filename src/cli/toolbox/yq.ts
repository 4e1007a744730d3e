import { AppError } from '#base/errors.ts';
import { bumpYaml } from '#desired/bump-yaml.ts';

export interface YqEdit {
  path: string;
  value: string;
  files: string[];
}

/** The one form of yq that pipelines write versions with: `yq -i '.a.b = "value"' FILE...`. */
export function parseYq(args: string[]): YqEdit {
  const rest = args.filter((argument) => argument !== '-i' && argument !== '--inplace');
  const [expression, ...files] = rest;
  if (rest.length === args.length || expression === undefined || files.length === 0) throw unsupported(args.join(' '));
  const match = /^\s*\.([\w.[\]"-]+)\s*=\s*"((?:[^"\\]|\\.)*)"\s*$/.exec(expression);
  if (!match) throw unsupported(expression);
  const path = (match[1] ?? '').replace(/\["?([^"\]]+)"?\]/g, '.$1').replaceAll('"', '');
  return { path, value: (match[2] ?? '').replace(/\\(.)/g, '$1'), files };
}

function unsupported(what: string): AppError {
  return new AppError('unsupported', `yq ${what}: only yq -i '.path.to.key = "value"' FILE... is provided here`, {
    hint: 'use slipway bump for other edits',
  });
}

/** Content with the value written; everything outside it stays byte for byte. */
export function editYaml(content: string, edit: YqEdit): string {
  return bumpYaml(content, { path: edit.path, value: edit.value });
}
