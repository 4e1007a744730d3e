import type { Json } from '#base/json.ts';

export type Pattern =
  | { kind: 'variable'; name: string }
  | { kind: 'array'; items: Pattern[] }
  | { kind: 'object'; entries: { variable?: string; key: Node; value?: Pattern }[] };

export type UpdateOperator = '=' | '|=' | '+=' | '-=' | '*=' | '/=' | '%=' | '//=';
export type BinaryOperator = '+' | '-' | '*' | '/' | '%' | '==' | '!=' | '<' | '<=' | '>' | '>=';

/** A jq program as a tree. */
export type Node =
  | { kind: 'identity' }
  | { kind: 'literal'; value: Json }
  | { kind: 'variable'; name: string }
  /** `optional`: what `of` cannot be asked for gives nothing; what `of` itself raises is raised. */
  | { kind: 'index'; of: Node; key: Node; optional?: boolean }
  | { kind: 'slice'; of: Node; from: Node | undefined; to: Node | undefined; optional?: boolean }
  | { kind: 'iterate'; of: Node; optional?: boolean }
  | { kind: 'pipe'; left: Node; right: Node }
  | { kind: 'comma'; left: Node; right: Node }
  | { kind: 'negate'; of: Node }
  | { kind: 'binary'; operator: BinaryOperator; left: Node; right: Node }
  | { kind: 'and' | 'or' | 'alternative'; left: Node; right: Node }
  | { kind: 'update'; operator: UpdateOperator; left: Node; right: Node }
  | { kind: 'if'; condition: Node; yes: Node; no: Node | undefined }
  | { kind: 'try'; body: Node; handler: Node | undefined }
  | { kind: 'reduce'; source: Node; patterns: Pattern[]; initial: Node; update: Node }
  | { kind: 'foreach'; source: Node; patterns: Pattern[]; initial: Node; update: Node; extract: Node | undefined }
  | { kind: 'bind'; source: Node; patterns: Pattern[]; body: Node }
  | { kind: 'label'; name: string; body: Node }
  | { kind: 'break'; name: string }
  | { kind: 'array'; of: Node | undefined }
  | { kind: 'object'; entries: { key: Node; value: Node }[] }
  | { kind: 'text'; format: string | undefined; parts: (string | Node)[] }
  | { kind: 'format'; format: string }
  | { kind: 'define'; definition: Definition; body: Node }
  | { kind: 'call'; name: string; parameters: Node[] };

export interface Definition {
  name: string;
  /** Those that begin with `$` are bound to values, the others are filters. */
  parameters: string[];
  body: Node;
}
