import { type Document, isAlias, isMap, isScalar, isSeq, type Node, parseAllDocuments, type Scalar, visit } from 'yaml';
import { assert } from '#base/assert.ts';
import { AppError } from '#base/errors.ts';
import { formatYamlPath, parseYamlPath, type YamlStep } from './yaml-path.ts';
import { writeScalar } from './yaml-scalar.ts';

export type YamlEdit =
  /** `document` counts from 0 and is needed only when several documents have the path. */
  | { path: string; value: string; document?: number }
  /** The text of the comment that ends the line; every value so marked is written. */
  | { marker: string; value: string };

/** A part of the text that gives place to a value. */
interface Place {
  from: number;
  to: number;
  text: string;
}

type Documents = Document.Parsed[];

/**
 * Writes a value into a YAML text: everything outside the value stays as it is, byte for byte, and the value keeps the
 * quotes it has unless it would then be read as something else. Throws `bad-input` saying what is there instead when
 * path or marker is missing, or holds no plain value.
 */
export function bumpYaml(content: string, edit: YamlEdit): string {
  const documents = parseDocuments(content);
  const scalars = 'path' in edit ? [findByPath(documents, edit)] : findByMarker(documents, content, edit.marker);
  const places = scalars.map((found) => placeOf(content, found, edit.value));
  let bumped = content;
  for (const place of places.sort((a, b) => b.from - a.from))
    bumped = bumped.slice(0, place.from) + place.text + bumped.slice(place.to);
  checkWritten(bumped, edit);
  return bumped;
}

/** The value at a path, as text; undefined when there is none. Reads what `bumpYaml` writes. */
export function readYamlValue(content: string, path: string): string | undefined {
  for (const document of parseDocuments(content)) {
    const found = follow(document, parseYamlPath(path));
    if ('scalar' in found) return textOf(found.scalar.node);
  }
  return undefined;
}

function parseDocuments(content: string): Documents {
  const documents = parseAllDocuments(content, { keepSourceTokens: true, strict: true });
  if (!Array.isArray(documents)) return [];
  for (const document of documents) {
    const error = document.errors[0];
    if (error)
      throw new AppError('bad-input', `the YAML cannot be read: ${error.message.split('\n')[0]}`, { cause: error });
  }
  return documents;
}

/** A value that may be written, and for an empty one where its key or dash ends. */
interface Found {
  node: Scalar;
  after: number;
  where: string;
}

type Followed = { scalar: Found } | { missing: AppError; depth: number };

function findByPath(documents: Documents, edit: { path: string; document?: number }): Found {
  const steps = parseYamlPath(edit.path);
  if (documents.length === 0) throw new AppError('bad-input', `the YAML has no ${edit.path}: it is empty`);
  const chosen = edit.document === undefined ? documents : documents.slice(edit.document, edit.document + 1);
  if (chosen.length === 0)
    throw new AppError(
      'bad-input',
      `there is no document ${edit.document ?? 0} in the YAML, which has ${documents.length}`,
    );
  const followed = chosen.map((document) => follow(document, steps));
  const found = followed.filter((one) => 'scalar' in one);
  const only = found[0];
  if (found.length > 1)
    throw new AppError('bad-input', `${found.length} documents of the YAML have ${edit.path}`, {
      hint: 'say which document is meant, counting from 0',
    });
  if (only) return only.scalar;
  const missing = followed.filter((one) => 'missing' in one).sort((a, b) => b.depth - a.depth);
  throw missing[0]?.missing ?? new AppError('bad-input', `the YAML has no ${edit.path}`);
}

function follow(document: Document.Parsed, steps: YamlStep[]): Followed {
  let node: Node | null | undefined = document.contents;
  let after = 0;
  for (const [depth, step] of steps.entries()) {
    const next = enter(node, step);
    if (!next) return { missing: missingAt(node, steps, depth), depth };
    ({ node, after } = next);
  }
  const where = formatYamlPath(steps);
  if (isScalar(node)) return { scalar: { node, after, where } };
  const what = isAlias(node)
    ? `an alias (*${node.source})`
    : isMap(node)
      ? 'a mapping'
      : isSeq(node)
        ? 'a list'
        : 'no value';
  const hint = isAlias(node) ? 'write to the anchor it stands for' : describe(node);
  return {
    missing: new AppError('bad-input', `${where} is ${what}, not a plain value`, { hint }),
    depth: steps.length,
  };
}

function enter(
  node: Node | null | undefined,
  step: YamlStep,
): { node: Node | null | undefined; after: number } | undefined {
  if (isMap(node) && step.kind === 'key') {
    const pair = node.items.find((item) => isScalar(item.key) && textOf(item.key) === step.key);
    return pair ? { node: asNode(pair.value), after: asNode(pair.key)?.range?.[1] ?? 0 } : undefined;
  }
  if (!isSeq(node)) return undefined;
  const item = node.items[indexIn(node.items, step)];
  return item === undefined ? undefined : { node: asNode(item), after: asNode(item)?.range?.[0] ?? 0 };
}

function indexIn(items: unknown[], step: YamlStep): number {
  switch (step.kind) {
    case 'index':
      return step.index;
    case 'key':
      return /^\d+$/.test(step.key) ? Number(step.key) : -1;
    case 'item':
      return items.findIndex((item) => {
        const member = isMap(item) ? item.get(step.member, true) : undefined;
        return isScalar(member) && textOf(member) === step.value;
      });
  }
}

function missingAt(node: Node | null | undefined, steps: YamlStep[], depth: number): AppError {
  const step = steps[depth];
  assert(step, 'depth is a place in steps');
  const parent = depth === 0 ? 'the top level' : formatYamlPath(steps.slice(0, depth));
  return new AppError(
    'bad-input',
    `the YAML has no ${formatYamlPath(steps)}: ${parent} has no ${formatYamlPath([step])}`,
    {
      hint: `${parent} holds ${describe(node)}`,
    },
  );
}

const maxNames = 20;

function describe(node: Node | null | undefined): string {
  if (isSeq(node)) return `a list of ${node.items.length}`;
  if (!isMap(node)) return isScalar(node) ? `the value ${textOf(node)}` : 'nothing';
  const names = node.items.map((item) => (isScalar(item.key) ? textOf(item.key) : '?'));
  return `${names.slice(0, maxNames).join(', ')}${names.length > maxNames ? ', ...' : ''}` || 'nothing';
}

function findByMarker(documents: Documents, content: string, marker: string): Found[] {
  const wanted = marker.replace(/^#/, '').trim();
  const found: Found[] = [];
  const others = new Set<string>();
  const look = (value: unknown, after: number) => {
    if (!isScalar(value) || !value.range) return;
    const comment = commentAfter(content, Math.max(after, value.range[1]));
    if (comment === wanted) found.push({ node: value, after, where: `the value marked # ${wanted}` });
    else if (comment !== undefined) others.add(comment);
  };
  for (const document of documents)
    visit(document, {
      Pair: (_, pair) => look(pair.value, asNode(pair.key)?.range?.[1] ?? 0),
      Seq: (_, seq) => {
        for (const item of seq.items) look(item, asNode(item)?.range?.[0] ?? 0);
      },
    });
  if (found.length > 0) return found;
  const seen = [...others].slice(0, maxNames).join('", "');
  throw new AppError('bad-input', `the YAML has no value marked with the comment # ${wanted}`, {
    hint: seen === '' ? 'no value has a comment on its line' : `comments on the lines of values are "${seen}"`,
  });
}

/** The comment that ends the line on which a value ended. */
function commentAfter(content: string, at: number): string | undefined {
  const end = content.indexOf('\n', at);
  const rest = content.slice(at, end < 0 ? undefined : end);
  return /^:?[ \t]*#[ \t]*(.*?)[ \t\r]*$/.exec(rest)?.[1];
}

function placeOf(content: string, found: Found, value: string): Place {
  const { node, after, where } = found;
  assert(node.range, 'a parsed node has a range');
  const [from, to] = node.range;
  if (node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED')
    throw new AppError('bad-input', `${where} is a block of text, not a plain value`);
  const text = writeScalar(node, value);
  if (to > from) return { from, to, text };
  // An empty value: what follows the key or the dash on the line, a comment perhaps, is kept after it.
  const colon = content.slice(after, from + 1).indexOf(':');
  const at = colon < 0 ? from : after + colon + 1;
  return { from: at, to: at, text: colon < 0 && /[ \t]$/.test(content.slice(0, at)) ? text : ` ${text}` };
}

/** What was written must be what is read, or the file would deploy something nobody asked for. */
function checkWritten(bumped: string, edit: YamlEdit): void {
  const documents = parseDocuments(bumped);
  const scalars = 'path' in edit ? [findByPath(documents, edit)] : findByMarker(documents, bumped, edit.marker);
  for (const { node, where } of scalars)
    assert(textOf(node) === edit.value, `${where} reads ${textOf(node)} after writing ${edit.value}`);
}

function textOf(node: Scalar): string {
  if (typeof node.value === 'string') return node.value;
  return node.source ?? String(node.value);
}

function asNode(value: unknown): Node | undefined {
  return isScalar(value) || isMap(value) || isSeq(value) || isAlias(value) ? value : undefined;
}
