import { AppError, isAppError } from '#base/errors.ts';
import { getArray, getNumber, getString, isObject, type JsonObject, parseJson } from '#base/json.ts';
import { registerSecret } from '#base/redact.ts';
import { type HttpFetch, requestText } from '../http.ts';

const maxPages = 100;

/** JSON over HTTP at one root, with one credential that goes nowhere else. */
export class RestApi {
  readonly #http: HttpFetch;
  readonly #root: string;
  readonly #headers: Record<string, string>;

  constructor(http: HttpFetch, root: string, headers: Record<string, string>) {
    if (!/^https?:\/\//.test(root))
      throw new AppError('bad-input', `the API address ${JSON.stringify(root)} is no http or https URL`);
    this.#http = http;
    this.#root = root.replace(/\/+$/, '');
    this.#headers = headers;
    for (const [name, value] of Object.entries(headers))
      if (/authorization|token/i.test(name)) registerSecret(value.replace(/^(?:Bearer|Basic|token) /, ''));
  }

  async get(path: string, signal: AbortSignal): Promise<unknown> {
    const url = `${this.#root}${path}`;
    const text = await requestText(this.#http, { url, headers: this.#headers }, signal);
    return text === '' ? undefined : parseJson(text, `the answer of ${url}`);
  }

  /** Undefined on 404. */
  async find(path: string, signal: AbortSignal): Promise<unknown> {
    try {
      return await this.get(path, signal);
    } catch (error) {
      if (isAppError(error, 'not-found')) return undefined;
      throw error;
    }
  }

  /** All pages of a list, by page numbers, until one is not full. */
  async list(path: string, size: { name: string; value: number }, signal: AbortSignal): Promise<JsonObject[]> {
    const items: JsonObject[] = [];
    for (let page = 1; page <= maxPages; page += 1) {
      const separator = path.includes('?') ? '&' : '?';
      const body = await this.get(`${path}${separator}${size.name}=${size.value}&page=${page}`, signal);
      if (!Array.isArray(body)) throw new AppError('unavailable', `${this.#root}${path} did not answer with a list`);
      items.push(...body.filter(isObject));
      if (body.length < size.value) return items;
    }
    throw new AppError('limit', `${this.#root}${path} has more than ${maxPages} pages`);
  }

  /** All pages of Bitbucket's lists: `values`, and where the next ones are, as an address or a number. */
  async values(path: string, signal: AbortSignal): Promise<JsonObject[]> {
    const items: JsonObject[] = [];
    const separator = path.includes('?') ? '&' : '?';
    let url: string | undefined = `${path}${separator}${this.#root.includes('/rest/') ? 'limit' : 'pagelen'}=100`;
    for (let page = 0; page < maxPages && url !== undefined; page += 1) {
      const answer: unknown = await this.get(url, signal);
      items.push(...getArray(answer, 'values').filter(isObject));
      const next: string | undefined = getString(answer, 'next');
      const start = getNumber(answer, 'nextPageStart');
      const numbered: string | undefined =
        start === undefined ? undefined : `${path}${separator}limit=100&start=${start}`;
      url = next === undefined ? numbered : this.#within(next);
    }
    if (url !== undefined) throw new AppError('limit', `${this.#root}${path} has more than ${maxPages} pages`);
    return items;
  }

  /** The credential goes only where it belongs, whatever a page says its next one is. */
  #within(url: string): string {
    if (url.startsWith(`${this.#root}/`)) return url.slice(this.#root.length);
    throw new AppError('unavailable', `${this.#root} names a next page at another place: ${url}`);
  }
}

/** The address of a repository in the protocol that was asked for. */
export function cloneUrl(protocol: string, urls: { ssh: unknown; https: unknown }, forge: string): string {
  if (protocol === '' || protocol === 'ssh') return String(urls.ssh ?? '');
  if (protocol === 'https') return String(urls.https ?? '');
  throw new AppError('bad-input', `unknown clone protocol for ${forge} ${protocol}`);
}

export function texts(list: unknown): string[] {
  return Array.isArray(list) ? list.map(String) : [];
}

/** `name` of each object of a list. */
export function names(list: unknown): string[] {
  return Array.isArray(list) ? list.filter(isObject).map((item) => String(item['name'] ?? '')) : [];
}

export function hasAll(wanted: readonly string[], labels: readonly string[]): boolean {
  return wanted.every((label) => labels.includes(label));
}
