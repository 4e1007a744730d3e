import type { Canary } from './canary.ts';

/** What a request is routed by. */
export interface RoutedRequest {
  /** Of the Host header, in lower case and without the port. */
  host: string;
  /** With the leading slash, without the query. */
  path: string;
  method: string;
  query: URLSearchParams;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  secure: boolean;
}

export type PathMatch =
  /** `element`: `/a` matches `/a/b` and not `/ab`, as path type Prefix says; else any string that begins so. */
  | { kind: 'exact'; value: string }
  | { kind: 'prefix'; value: string; element: boolean }
  | { kind: 'pattern'; value: string; pattern: RegExp };

export interface ValueMatch {
  name: string;
  value: string | RegExp;
}

export interface Target {
  namespace: string;
  service: string;
  portName: string;
  /** Outside the cluster, for a Service of type ExternalName. */
  external?: { host: string; port: number };
  /** Leads nowhere: its requests are answered with this status. */
  refuse?: number;
  /** Chosen by this share of the requests. */
  weight: number;
  headers?: HeaderChanges;
  responseHeaders?: HeaderChanges;
}

export interface HeaderChanges {
  set: [string, string][];
  add: [string, string][];
  remove: string[];
}

export interface Redirect {
  status: number;
  /** A whole URL, or undefined where parts of the request's are kept. */
  url?: string;
  scheme?: 'http' | 'https';
  hostname?: string;
  port?: number;
  path?: PathRewrite;
}

export type PathRewrite =
  | { kind: 'full'; value: string }
  | { kind: 'prefix'; value: string }
  | { kind: 'pattern'; value: string };

export interface ForwardOptions {
  /** The backends speak TLS; their certificates are not checked, as nginx does not by default. */
  tls: boolean;
  connectMs: number;
  /** The longest silence of a backend. */
  readMs: number;
  /** The longest a whole request may take; 0 is unlimited. */
  totalMs: number;
  /** 0 is unlimited. */
  maxBodyBytes: number;
  host?: string;
  rewrite?: PathRewrite;
  headers?: HeaderChanges;
  responseHeaders?: HeaderChanges;
}

export type Action =
  | { kind: 'redirect'; redirect: Redirect }
  | { kind: 'answer'; status: number; contentType: string; body: string }
  /** Nothing that could answer: what a wrong reference or an empty list of backends comes to. */
  | { kind: 'refuse'; status: number; why: string }
  | { kind: 'forward'; targets: Target[]; canary?: Canary; options: ForwardOptions; appRoot?: string };

export interface Route {
  /** Names the route over rebuilds: weights are counted per id. */
  id: string;
  /** '' for every host, `*.x` for one label before `.x` (as Ingress means it), `**.x` for any number (as Gateway does). */
  host: string;
  /** Further names of the host. */
  aliases?: string[];
  path: PathMatch;
  method?: string;
  headers: ValueMatch[];
  query: ValueMatch[];
  /** Only on the plain listener, or only on the TLS one. */
  only?: 'http' | 'https';
  /** A plain request is sent to the same place over TLS. */
  toHttps?: boolean;
  /** To sort equal matches: older objects first, then by name. */
  order: string;
  action: Action;
}

export const usualForward: ForwardOptions = {
  tls: false,
  connectMs: 5_000,
  readMs: 60_000,
  totalMs: 0,
  maxBodyBytes: 0,
};
