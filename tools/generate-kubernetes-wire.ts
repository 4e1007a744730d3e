/**
 * Writes `src/drydock/kubernetes/api/protocol/data/wire.generated.json`: how Kubernetes' protobuf bodies are laid out, from the
 * generated.proto files and the struct tags beside them in Debian's golang-k8s-api-dev and golang-k8s-apimachinery-dev.
 *
 *   node tools/generate-kubernetes-wire.ts <directory that holds k8s.io/>
 *
 * The directory is `/usr/share/gocode/src` where the packages are installed.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const apiPackages = [
  'admissionregistration/v1',
  'apps/v1',
  'authentication/v1',
  'authorization/v1',
  'autoscaling/v1',
  'autoscaling/v2',
  'batch/v1',
  'certificates/v1',
  'coordination/v1',
  'core/v1',
  'discovery/v1',
  'events/v1',
  'flowcontrol/v1',
  'networking/v1',
  'node/v1',
  'policy/v1',
  'rbac/v1',
  'scheduling/v1',
  'storage/v1',
].map((path) => `k8s.io/api/${path}`);
const machineryPackages = ['api/resource', 'apis/meta/v1', 'runtime', 'util/intstr'].map(
  (path) => `k8s.io/apimachinery/pkg/${path}`,
);

interface GoField {
  json: string;
  inline: boolean;
  omitsZero: boolean;
}

function goFields(directory: string): Map<string, GoField> {
  const fields = new Map<string, GoField>();
  let struct = '';
  for (const line of readIfThere(join(directory, 'types.go')).split('\n')) {
    const start = /^type (\w+) struct/.exec(line)?.[1];
    if (start !== undefined) struct = start;
    const tag = /^\s+(?:\w+\s+)?(\S+)\s+`.*json:"([^"]*)".*protobuf:"[^"]*?,(\d+),/.exec(line);
    if (!tag) continue;
    const [, goType = '', json = '', number = ''] = tag;
    const [name = '', ...options] = json.split(',');
    fields.set(`${struct}.${number}`, {
      json: name,
      inline: options.includes('inline'),
      omitsZero: options.includes('omitempty') && !goType.startsWith('*'),
    });
  }
  return fields;
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** `[json name, type, flags]`; flags: r repeated, m map, i inlined, o left out when zero, w the message is this list itself. */
type WireField = [name: string, type: string, flags: string];

function messagesOf(root: string, path: string): Record<string, Record<string, WireField>> {
  const directory = join(root, path);
  const tags = goFields(directory);
  const packageName = path.replaceAll('/', '.');
  const messages: Record<string, Record<string, WireField>> = {};
  let current: Record<string, WireField> = {};
  let name = '';
  for (const line of readFileSync(join(directory, 'generated.proto'), 'utf8').split('\n')) {
    const message = /^message (\w+) \{/.exec(line)?.[1];
    if (message !== undefined) {
      name = message;
      current = {};
      messages[shorten(`${packageName}.${name}`)] = current;
      continue;
    }
    const map = /^\s+map<string, ([.\w]+)> (\w+) = (\d+);/.exec(line);
    const plain = /^\s+(optional|repeated) ([.\w]+) (\w+) = (\d+)(?: \[.*\])?;/.exec(line);
    const [type, proto, number, label] = map
      ? [map[1], map[2], map[3], 'm']
      : plain
        ? [plain[2], plain[3], plain[4], plain[1] === 'repeated' ? 'r' : '']
        : [];
    if (type === undefined || proto === undefined || number === undefined) continue;
    const tag = tags.get(`${name}.${number}`);
    const isList = label === 'r' && proto === 'items' && number === '1' && !tag;
    const flags = `${label}${tag?.inline ? 'i' : ''}${tag?.omitsZero ? 'o' : ''}${isList ? 'w' : ''}`;
    current[number] = [tag && tag.json !== '' ? tag.json : proto, typeName(type, packageName), flags];
  }
  return messages;
}

function typeName(type: string, packageName: string): string {
  if (/^(string|bytes|bool|double|u?int(32|64))$/.test(type)) return type;
  return shorten(type.startsWith('.') ? type.slice(1) : `${packageName}.${type}`);
}

function shorten(name: string): string {
  return name.replace(/^k8s\.io\.(api|apimachinery\.pkg)\./, '');
}

const root = process.argv[2];
if (root === undefined) throw new Error('usage: generate-kubernetes-wire.ts <directory that holds k8s.io/>');
const messages: Record<string, Record<string, WireField>> = {};
for (const path of [...machineryPackages, ...apiPackages]) Object.assign(messages, messagesOf(root, path));
// Kinds that became v1 after Debian's packages, as their beta version there.
const promoted = messagesOf(root, 'k8s.io/api/networking/v1beta1');
for (const [name, fields] of Object.entries(promoted)) {
  if (!/\.(IPAddress|ParentReference|ServiceCIDR)/.test(name)) continue;
  const renamed = Object.entries(fields).map(([number, [json, type, flags]]): [string, WireField] => [
    number,
    [json, type.replace('networking.v1beta1.', 'networking.v1.'), flags],
  ]);
  messages[name.replace('networking.v1beta1.', 'networking.v1.')] = Object.fromEntries(renamed);
}
const groups: Record<string, string> = {};
for (const path of apiPackages) {
  const group = /GroupName = "([^"]*)"/.exec(readIfThere(join(root, path, 'register.go')))?.[1] ?? '';
  groups[`${group}/${path.split('/')[3]}`] = shorten(path.replaceAll('/', '.'));
}
const output = join(import.meta.dirname, '../src/drydock/kubernetes/api/protocol/data/wire.generated.json');
writeFileSync(output, `${JSON.stringify({ groups, messages })}\n`);
