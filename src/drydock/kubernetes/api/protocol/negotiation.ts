import { ApiError } from '../port.ts';

/** How a response body shows objects. */
export type Face = 'object' | 'table' | 'partial';

interface MediaRange {
  type: string;
  parameters: Record<string, string>;
  quality: number;
}

function parseAccept(header: string | undefined): MediaRange[] {
  const ranges = (header ?? '*/*').split(',').map((part) => {
    const [type = '', ...rest] = part.split(';').map((piece) => piece.trim());
    const parameters: Record<string, string> = {};
    for (const parameter of rest) {
      const at = parameter.indexOf('=');
      if (at > 0) parameters[parameter.slice(0, at).toLowerCase()] = parameter.slice(at + 1);
    }
    return { type: type.toLowerCase(), parameters, quality: Number(parameters['q'] ?? 1) };
  });
  return ranges.filter((range) => range.type !== '').sort((a, b) => b.quality - a.quality);
}

const jsonTypes = new Set(['application/json', 'application/*', '*/*']);

const yamlType = 'application/yaml';

/** True when YAML is asked for before JSON. */
export function prefersYaml(header: string | undefined): boolean {
  if (header?.includes(yamlType) !== true) return false;
  return parseAccept(header).find(({ type }) => type === yamlType || jsonTypes.has(type))?.type === yamlType;
}

/** The first acceptable face of `Accept`; a stream is never YAML. Throws 406, in other words for a custom resource. */
export function chooseFace(header: string | undefined, asked: { stream?: boolean; custom?: boolean } = {}): Face {
  for (const { type, parameters } of parseAccept(header)) {
    if (!jsonTypes.has(type) && (type !== yamlType || asked.stream === true)) continue;
    const as = parameters['as'];
    if (as === undefined) return 'object';
    if (parameters['g'] !== 'meta.k8s.io' || parameters['v'] !== 'v1') continue;
    if (as === 'Table') return 'table';
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return 'partial';
  }
  if (asked.custom === true)
    throw new ApiError(
      406,
      'NotAcceptable',
      'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    );
  throw new ApiError(
    406,
    'NotAcceptable',
    '406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf, application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch',
    {},
  );
}

/** The version of aggregated discovery that the client wants most, if any. */
export function chooseDiscovery(header: string | undefined): 'v2' | 'v2beta1' | undefined {
  for (const { type, parameters } of parseAccept(header)) {
    if (!jsonTypes.has(type)) continue;
    if (parameters['as'] === undefined) return undefined;
    const version = parameters['v'];
    if (parameters['g'] !== 'apidiscovery.k8s.io' || parameters['as'] !== 'APIGroupDiscoveryList') continue;
    if (version === 'v2' || version === 'v2beta1') return version;
  }
  return undefined;
}

/** True when a watch was asked for with `;stream=watch`, which then stands in the answer's type too. */
export function asksStream(header: string | undefined): boolean {
  return parseAccept(header).some((range) => range.parameters['stream'] === 'watch');
}

/** The media type of a body without parameters. */
export function mediaType(header: string | undefined): string {
  return (header ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}
