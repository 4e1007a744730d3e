import { AppError } from '#base/errors.ts';

/** What a trace starts from. A pod without a namespace is looked for where the applications deploy. */
export type TraceQuery =
  | { kind: 'pod'; name: string; namespace: string | undefined }
  | { kind: 'application'; name: string }
  | { kind: 'image'; image: string };

/** The links of the chain from what runs back to who wrote it, in the order they are shown. */
export type TraceLink =
  | 'container'
  | 'image'
  | 'workflow-run'
  | 'commit'
  | 'pull-request'
  | 'tag'
  | 'approval'
  | 'manifest-commit'
  | 'sync';

/** A link is established from a record, or stands there with the reason why it cannot be; nothing is guessed. */
export type TraceStep =
  | {
      link: TraceLink;
      found: true;
      /** What a person calls it: an image, a subject line, a run's name and number. */
      title: string;
      /** Milliseconds since the epoch. */
      at?: number | undefined;
      by?: string | undefined;
      url?: string | undefined;
      facts: Record<string, string>;
    }
  | { link: TraceLink; found: false; reason: string };

export interface TraceReport {
  /** As asked: `pod/NAME`, an application's name, an image. */
  subject: string;
  application: string | undefined;
  steps: TraceStep[];
}

export interface Tracer {
  trace(query: TraceQuery, signal: AbortSignal): Promise<TraceReport>;
}

/** `pod/NAME`, an image (it has a `/`, `:` or `@`), else an application's name. */
export function parseTraceQuery(text: string, namespace: string | undefined): TraceQuery {
  const pod = /^(?:pods?|po)\/([a-z0-9][a-z0-9.-]*)$/.exec(text)?.[1];
  if (pod !== undefined) return { kind: 'pod', name: pod, namespace };
  if (/^(?:pods?|po)\//.test(text) || text === '')
    throw new AppError('bad-input', `"${text}" is nothing that can be traced`, {
      hint: 'give pod/NAME, an application or an image',
    });
  if (/[/:@]/.test(text)) return { kind: 'image', image: text };
  return { kind: 'application', name: text };
}

export function subjectOf(query: TraceQuery): string {
  if (query.kind === 'pod') return `pod/${query.name}`;
  return query.kind === 'application' ? query.name : query.image;
}
