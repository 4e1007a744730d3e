import { type Context, Hono } from 'hono';
import { stream } from 'hono/streaming';
import type { LogLine, LogQuery } from '#apps/port.ts';
import { AppError, messageOf } from '#base/errors.ts';
import type { ServerEnv } from '../auth.ts';
import { type ArgocdDeps, askedApplication, findApplication, queryFlag, queryInteger } from './access.ts';

type Asked = Context<ServerEnv>;

export interface LogFilter {
  /** Empty keeps every line; a leading `!` keeps those without the rest. */
  text: string;
  matchCase: boolean;
  /** RFC 3339: a line of after ends the stream. */
  until: number | undefined;
}

export function keepsLine({ text, matchCase }: LogFilter, line: string): boolean {
  if (text === '') return true;
  const inverse = text.startsWith('!');
  const wanted = inverse ? text.slice(1) : text;
  const has = matchCase ? line.includes(wanted) : line.toLowerCase().includes(wanted.toLowerCase());
  return has !== inverse;
}

function timeOf(text: string | undefined, what: string): number | undefined {
  if (!text) return undefined;
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new AppError('bad-input', `invalid ${what} parameter value: ${text}`);
  return time;
}

function queryOf(c: Asked, pod: string | undefined): LogQuery {
  const { req } = c;
  const name = pod ?? (req.query('podName') || undefined);
  const sinceSeconds = queryInteger(c, 'sinceSeconds');
  const sinceTime = queryInteger(c, 'sinceTime.seconds');
  const tailLines = queryInteger(c, 'tailLines');
  return {
    of: {
      ...(name ? { kind: 'Pod', group: '', name } : {}),
      ...(!name && req.query('kind') ? { kind: req.query('kind') ?? '' } : {}),
      ...(!name && req.query('group') ? { group: req.query('group') ?? '' } : {}),
      ...(!name && req.query('resourceName') ? { name: req.query('resourceName') ?? '' } : {}),
      ...(req.query('namespace') ? { namespace: req.query('namespace') } : {}),
    },
    container: req.query('container') || undefined,
    sinceSeconds: sinceSeconds && sinceSeconds > 0 ? sinceSeconds : undefined,
    sinceTime: sinceTime ? new Date(sinceTime * 1000).toISOString() : undefined,
    tailLines: tailLines && tailLines > 0 ? tailLines : undefined,
    follow: queryFlag(c, 'follow'),
    previous: queryFlag(c, 'previous'),
  };
}

function entryOf({ pod, time, text }: LogLine, last: boolean) {
  return { content: text, timeStamp: time.replace(/\.\d+/, '') || null, last, timeStampStr: time, podName: pod };
}

/** Logs of the pods of an application, one line of JSON each, `last` marking the end. */
export function logRoutes(deps: ArgocdDeps, options: { now: () => number; closing: AbortSignal }): Hono<ServerEnv> {
  const { guard, resources } = deps;
  const app = new Hono<ServerEnv>();

  async function logs(c: Asked, name: string, pod: string | undefined): Promise<Response> {
    const { application, id } = findApplication(deps, c, askedApplication(c, name), 'get');
    guard.demand(c.get('principal'), 'logs', 'get', guard.nameOf(application));
    const filter: LogFilter = {
      text: c.req.query('filter') ?? '',
      matchCase: queryFlag(c, 'matchCase') ?? false,
      until: timeOf(c.req.query('untilTime'), 'untilTime'),
    };
    const events = (c.req.header('accept') ?? '').includes('text/event-stream');
    c.header('content-type', events ? 'text/event-stream' : 'application/json');
    const stop = new AbortController();
    const signal = AbortSignal.any([c.req.raw.signal, options.closing, stop.signal]);
    const lines = await resources.logs(id, queryOf(c, pod), signal);
    return stream(c, async (out) => {
      out.onAbort(() => stop.abort());
      const write = async (line: LogLine, last: boolean) => {
        const json = JSON.stringify({ result: entryOf(line, last) });
        await out.write(events ? `data: ${json}\n\n` : `${json}\n`);
      };
      try {
        for await (const line of lines) {
          if (!keepsLine(filter, line.text)) continue;
          const late = filter.until !== undefined && Date.parse(line.time) > filter.until;
          await write(line, late);
          if (late) return;
        }
      } catch (error) {
        if (!signal.aborted) await write({ pod: '', time: '', text: messageOf(error) }, false);
      }
      if (!signal.aborted) await write({ pod: '', time: new Date(options.now()).toISOString(), text: '' }, true);
    });
  }

  app.get('/applications/:name/logs', (c) => logs(c, c.req.param('name'), undefined));
  app.get('/applications/:name/pods/:pod/logs', (c) => logs(c, c.req.param('name'), c.req.param('pod')));
  return app;
}
