import type { Command } from 'commander';
import { getArray, getString, isObject } from '#base/json.ts';
import { parseGoDuration } from '#model/argocd/duration.ts';
import { renderFields, renderTable } from './printer.ts';
import { type OutputOption, type Session, withOutput } from './session.ts';

const base = '/api/v1/account';

/** `slipway account`: as `argocd account`. */
export function registerAccount(program: Command, session: Session): void {
  const account = program.command('account').description('accounts: who may use this server, and as what');
  withOutput(account.command('list'))
    .description('list accounts')
    .action(async (flags: OutputOption) => {
      const items = getArray(await session.client.request('GET', base), 'items');
      const rows = items.map((item) => [
        getString(item, 'name') ?? '',
        String(isObject(item) && item['enabled'] === true),
        getArray(item, 'capabilities').join(', '),
      ]);
      session.show({ data: items, text: () => renderTable(['NAME', 'ENABLED', 'CAPABILITIES'], rows) }, flags);
    });
  withOutput(account.command('get-user-info'))
    .description('who you are here')
    .action(async (flags: OutputOption) => {
      const info = await session.client.request('GET', '/api/v1/session/userinfo');
      const text = renderFields([
        ['Logged In', String(isObject(info) && info['loggedIn'] === true)],
        ['Username', getString(info, 'username')],
        ['Issuer', getString(info, 'iss')],
        ['Groups', getArray(info, 'groups').join(',')],
      ]);
      session.show({ data: info, text: () => text }, flags);
    });
  account
    .command('can-i <action> <resource> <object>')
    .description('whether you may do something: can-i sync applications "*/*"')
    .action(async (action: string, resource: string, object: string) => {
      const path = [resource, action, object].map(encodeURIComponent).join('/');
      const value = getString(await session.client.request('GET', `${base}/can-i/${path}`), 'value');
      session.deps.out(`${value ?? 'no'}\n`);
    });
  account
    .command('generate-token')
    .description('a token for an account; it is shown once')
    .option('-a, --account <name>', 'whose', 'admin')
    .option('-e, --expires-in <duration>', 'for example 24h; without it, never')
    .option('--id <id>', 'of the token')
    .action(async (flags: { account: string; expiresIn?: string; id?: string }) => {
      const expiresIn = flags.expiresIn === undefined ? 0 : Math.round(parseGoDuration(flags.expiresIn) / 1000);
      const body = { name: flags.account, expiresIn, id: flags.id ?? '' };
      const answer = await session.client.request('POST', `${base}/${encodeURIComponent(flags.account)}/token`, body);
      session.deps.out(`${getString(answer, 'token') ?? ''}\n`);
    });
  account
    .command('delete-token <id>')
    .description('make a token worthless')
    .option('-a, --account <name>', 'whose', 'admin')
    .action(async (id: string, flags: { account: string }) => {
      await session.client.request(
        'DELETE',
        `${base}/${encodeURIComponent(flags.account)}/token/${encodeURIComponent(id)}`,
      );
      session.deps.out(`token ${id} of ${flags.account} deleted\n`);
    });
}
