import { parseDefinitions } from './parser.ts';
import type { Definition } from './syntax.ts';

/** Functions of jq that are short in jq itself. */
const source = `
def map(f): [.[] | f];
def map_values(f): .[] |= f;
def not: if . then false else true end;
def in(xs): . as $key | xs | has($key);
def values: select(. != null);
def nulls: select(. == null);
def booleans: select(type == "boolean");
def numbers: select(type == "number");
def strings: select(type == "string");
def arrays: select(type == "array");
def objects: select(type == "object");
def iterables: select(type == "array" or type == "object");
def scalars: select(type != "array" and type != "object");
def finites: select(isfinite);
def normals: select(isnormal);
def first: .[0];
def last: .[-1];
def nth($n): .[$n];
def sort_by(f): _sort_by(map([f]));
def group_by(f): _group_by(map([f]));
def unique_by(f): _unique_by(map([f]));
def min_by(f): _min_by(map([f]));
def max_by(f): _max_by(map([f]));
def to_entries: [keys[] as $k | {key: $k, value: .[$k]}];
def from_entries:
  reduce .[] as $e ({};
    .[$e | if .key == null or .key == false then .Key // .name // .Name else .key end] =
      ($e | if has("value") then .value else .Value end));
def with_entries(f): to_entries | map(f) | from_entries;
def walk(f): def all: if type == "array" then map(all) elif type == "object" then map_values(all) else . end | f; all;
def while(condition; next): def loop: if condition then ., (next | loop) else empty end; loop;
def repeat(f): def loop: f, loop; loop;
def paths: path(..) | select(. != []);
def paths(f): path(.. | select(f)) | select(. != []);
def pick(f): . as $whole | reduce path(f) as $p (null; setpath($p; $whole | getpath($p)));
def combinations: if length == 0 then [] else .[0][] as $x | [$x] + (.[1:] | combinations) end;
def combinations(n): [limit(n; repeat(.))] | combinations;
def tostream: path(def r: (.[]? | r), .; r) as $p | getpath($p) | reduce path(.[]?) as $q ([$p, .]; [$p + $q]);
def truncate_stream(f): . as $n | null | f | if .[0] | length > $n then .[0] |= .[$n:] else empty end;
def IN(s): . as $x | any(s; . == $x);
def IN(src; s): any(src; . as $x | any(s; . == $x));
def INDEX(stream; f): reduce stream as $row ({}; .[$row | f | tostring] = $row);
def INDEX(f): INDEX(.[]; f);
def ascii: [.] | implode;
def _pattern: if type == "array" then . else [., null] end;
def match($re): ($re | _pattern) as [$r, $f] | _match($r; $f)[];
def match($re; $flags): _match($re; $flags)[];
def test($re): ($re | _pattern) as [$r, $f] | _test($r; $f);
def test($re; $flags): _test($re; $flags);
def _named: [.captures[] | select(.name != null) | {key: .name, value: .string}] | from_entries;
def capture($re): match($re) | _named;
def capture($re; $flags): match($re; $flags) | _named;
def scan($re): scan($re; null);
def scan($re; $flags): match($re; $flags + "g") | if .captures == [] then .string else [.captures[].string] end;
def splits($re; $flags):
  .[foreach (match($re; $flags + "g"), null) as $m
      (null; {start: .next, end: $m.offset, next: ($m.offset + $m.length)}; {start, end})];
def splits($re): splits($re; null);
def split($re; $flags): [splits($re; $flags)];
def sub($re; str; $flags): . as $in
  | def pieces($matches; $from):
      if $matches == [] then $in[$from:]
      else $matches[0] as $m
        | ($m | _named | str) as $s
        | pieces($matches[1:]; $m.offset + $m.length)
        | $in[$from:$m.offset] + $s + . end;
    pieces([match($re; $flags)]; 0);
def sub($re; str): sub($re; str; null);
def gsub($re; str): sub($re; str; "g");
def gsub($re; str; $flags): sub($re; str; $flags + "g");
`;

let known: Map<string, Definition> | undefined;

export function preludeDefinition(name: string, parameters: number): Definition | undefined {
  known ??= new Map(
    parseDefinitions(source).map((definition) => [`${definition.name}/${definition.parameters.length}`, definition]),
  );
  return known.get(`${name}/${parameters}`);
}
