import { AppError } from '#base/errors.ts';

/** One step into a YAML document: a key, a place in a list, or the list item whose member has a value. */
export type YamlStep =
  | { kind: 'key'; key: string }
  | { kind: 'index'; index: number }
  | { kind: 'item'; member: string; value: string };

/**
 * Reads a path such as `image.tag`, `.services[0].tag`, `hosts.1`, `containers[name=api].image` or `annotations."a.b/c"`.
 * A number after a dot is a place in a list or a key, whichever is there.
 */
export function parseYamlPath(path: string): YamlStep[] {
  const bad = (why: string) => new AppError('bad-input', `"${path}" is not a path: ${why}`);
  const steps: YamlStep[] = [];
  let rest = path.replace(/^\$?\.?(?=.)/, '');
  while (rest !== '') {
    const bracket = /^\[(?:(\d+)|"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\]=[]+)=([^\]]*))\]/.exec(rest);
    const quoted = /^"((?:[^"\\]|\\.)*)"/.exec(rest);
    const plain = /^[^.[\]"]+/.exec(rest);
    if (bracket) {
      const [, index, double, single, member, value] = bracket;
      if (index !== undefined) steps.push({ kind: 'index', index: Number(index) });
      else if (member !== undefined) steps.push({ kind: 'item', member: member.trim(), value: unquote(value ?? '') });
      else steps.push({ kind: 'key', key: double === undefined ? (single ?? '') : unescaped(double) });
    } else if (quoted) steps.push({ kind: 'key', key: unescaped(quoted[1] ?? '') });
    else if (plain) steps.push({ kind: 'key', key: plain[0] });
    else throw bad(`it cannot be read from "${rest}" on`);
    rest = rest.slice((bracket ?? quoted ?? plain)?.[0].length ?? rest.length);
    if (rest === '.') throw bad('it ends with a dot');
    if (rest.startsWith('.')) rest = rest.slice(1);
    else if (rest !== '' && !rest.startsWith('[')) throw bad(`a dot is missing before "${rest}"`);
  }
  if (steps.length === 0) throw bad('it is empty');
  return steps;
}

export function formatYamlPath(steps: YamlStep[]): string {
  let text = '';
  for (const step of steps) {
    if (step.kind === 'index') text += `[${step.index}]`;
    else if (step.kind === 'item') text += `[${step.member}=${step.value}]`;
    else text += `${text === '' ? '' : '.'}${/^[^.[\]"\s]+$/.test(step.key) ? step.key : JSON.stringify(step.key)}`;
  }
  return text;
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, '$1');
}

function unquote(text: string): string {
  return text.trim().replace(/^(["'])(.*)\1$/, '$2');
}
