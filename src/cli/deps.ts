import type { Clock } from '#base/clock.ts';
import type { ChartLibrary } from '#render/charts/port.ts';
import type { Renderer } from '#render/port.ts';
import type { TypeKnowledge } from '#sync/type-knowledge.ts';
import type { DoctorProbe } from './doctor/checks.ts';

/** What the command line knows of the outside; `src/main` builds it from the process. */
export interface CliDeps {
  version: string;
  cwd: string;
  clock: Clock;
  settings: {
    /** Address and token of the server when given by the environment; else `.slipway/server.json` is looked for. */
    server?: string | undefined;
    token?: string | undefined;
    /** Name noted as the one who asked for a change. */
    actor: string;
    /** Terminal width; undefined when the output is no terminal. */
    columns: number | undefined;
    color: boolean;
  };
  out: (text: string) => void;
  err: (text: string) => void;
  probe: DoctorProbe;
  /** The built-in kinds of Kubernetes, read when they are needed. */
  types: () => Promise<TypeKnowledge>;
  /** Sends a `repository_dispatch` by the forge's REST API. */
  dispatch: (request: DispatchRequest, signal: AbortSignal) => Promise<void>;
  /** For manifests made without a server. */
  openRenderer: (options: { plugins: string | undefined }) => Promise<LocalRenderer>;
  /** How a server gets into the cluster of a context; makes an account there unless told otherwise. */
  clusterAccess: (options: ClusterAccessOptions, signal: AbortSignal) => Promise<ClusterAccess>;
  /** Commands that build a whole process; each resolves with the exit code. */
  processes: {
    up: (options: UpOptions, signal: AbortSignal) => Promise<number>;
    demo: (options: DemoOptions, signal: AbortSignal) => Promise<number>;
    serve: (options: ServeOptions, signal: AbortSignal) => Promise<number>;
    cluster: (options: ClusterOptions, signal: AbortSignal) => Promise<number>;
    /** The text of a kubeconfig. */
    clusterKubeconfig: (options: ClusterKubeconfigOptions) => Promise<string>;
  };
}

/** Makes manifests here; charts of repositories and registries are read as anybody may. */
export interface LocalRenderer extends Renderer, AsyncDisposable {
  charts: Pick<ChartLibrary, 'open'>;
}

export interface ClusterAccessOptions {
  kubeconfig: string | undefined;
  context: string;
  /** An account that is there already. */
  serviceAccount: string | undefined;
  systemNamespace: string;
  ownCredentials: boolean;
  /** Empty: all of them. */
  namespaces: string[];
}

/** In the words of Argo CD's API. */
export interface ClusterAccess {
  server: string;
  config: Record<string, unknown>;
}

export interface DispatchRequest {
  repository: string;
  eventType: string;
  payload: Record<string, unknown>;
}

export interface UpOptions {
  dataDirectory: string | undefined;
}

export interface DemoOptions {
  json: boolean;
  keep: boolean;
  dataDirectory: string | undefined;
}

export interface ServeOptions {
  kubeconfig: string | undefined;
  context: string | undefined;
  namespace: string;
  host: string;
  port: number;
  dataDirectory: string | undefined;
  /** Folder of the config management plugins that may run. */
  plugins: string | undefined;
}

export interface ClusterOptions {
  dataDirectory: string | undefined;
  inMemory: boolean;
  port?: number;
  /** Where the administrator's kubeconfig is written. */
  kubeconfig?: string;
  node: 'simulated' | 'process' | 'none';
  nodes: number;
  speed: number;
  imageFaults: { image: string; knobs: Record<string, string> }[];
  controllers: string[];
  tokens: { token: string; user: string; groups: string[] }[];
  services: { serviceCidr?: string; nodePortRange?: string };
  disableAdmission: string[];
  authorization: 'rbac' | 'always-allow';
}

export interface ClusterKubeconfigOptions {
  dataDirectory: string | undefined;
  user: string;
  groups: string[];
  namespace: string | undefined;
}
