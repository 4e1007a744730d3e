import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { chromiumArgs, findChromium } from './chromium.ts';
import { type PageWorld, shopApplication, startPageWorld } from './world.ts';

const found = findChromium();
const skip = 'reason' in found ? found.reason : false;
/** Where screenshots go; none are taken without it. */
const shots = process.env['SLIPWAY_SCREENSHOTS'];
const desktop = { width: 1440, height: 900 };
const phone = { width: 390, height: 844 };

let browser: Browser;

before(async () => {
  if ('reason' in found) return;
  await build({ configFile: join(import.meta.dirname, '..', '..', 'web', 'vite.config.ts'), logLevel: 'warn' });
  browser = await chromium.launch({ executablePath: found.path, args: chromiumArgs });
});
after(async () => {
  await browser?.close();
});

interface Look {
  viewport: { width: number; height: number };
  withToken?: boolean;
}

/** Opens the page and fails the test for anything the browser complains about. */
async function look(
  world: PageWorld,
  { viewport, withToken = true }: Look,
): Promise<{ page: Page; complaints: string[] }> {
  const context = await browser.newContext({ viewport, colorScheme: 'light' });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  await page.goto(withToken ? `${world.server.url}/?token=${world.token}` : world.server.url);
  return { page, complaints };
}

async function shoot(page: Page, name: string): Promise<void> {
  if (shots === undefined) return;
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`) });
}

/** Nothing sticks out to the right, which on a phone would make the whole page swim. */
async function assertFits(page: Page): Promise<void> {
  const [content, window] = (await page.evaluate('[document.documentElement.scrollWidth, innerWidth]')) as [
    number,
    number,
  ];
  assert.ok(content <= window, `the page is ${content} wide in a window of ${window}`);
}

test('at a desk: versions, diff, trace and the sync button', { skip }, async () => {
  await using world = await startPageWorld();
  const { page, complaints } = await look(world, { viewport: desktop });
  const cell = page.locator('td[data-environment="prod"] .cell', { hasText: '1.4.2' });
  await cell.locator('.pending', { hasText: '1.5.0' }).waitFor();
  assert.deepEqual(await page.locator('.matrix thead th').allTextContents(), ['Service', 'dev', 'staging', 'prod']);
  assert.match(await cell.innerText(), /Out of sync[\s\S]*Healthy[\s\S]*by mira[\s\S]*1\.5\.0 waits for a sync/);
  assert.match(page.url(), /\/$/, 'the token is not left in the address');
  await assertFits(page);
  await shoot(page, 'desktop');

  await page.locator('[data-application="myshop-api-prod"] .application-row').click();
  await page.locator('.diff').waitFor();
  assert.deepEqual(await page.locator('.diff .removed, .diff .added').allTextContents(), [
    '-          image: 127.0.0.1:5000/myshop/myshop-api:1.4.2',
    '+          image: 127.0.0.1:5000/myshop/myshop-api:1.5.0',
  ]);
  await page.getByRole('tab', { name: 'History' }).click();
  assert.equal(await page.locator('.plain-table tbody tr').count(), 2);
  await page.getByRole('tab', { name: 'Resources' }).click();
  await page.locator('.tree .link').first().click();
  await page.locator('.chain .step').first().waitFor();
  assert.equal(await page.locator('.chain .step').count(), 8);
  await shoot(page, 'trace');
  await page.keyboard.press('Escape');
  await page.locator('.chain').waitFor({ state: 'detached' });

  await cell.getByRole('button', { name: 'Sync' }).click();
  await page.locator('dialog .diff').waitFor();
  assert.deepEqual(
    world.engine.asked.filter(({ what }) => what === 'sync'),
    [],
    'nothing happens before the confirmation',
  );
  world.engine.onSync = (name) =>
    world.engine.put(
      shopApplication({
        service: 'myshop-api',
        environment: 'prod',
        version: '1.5.0',
        automated: false,
        ageMs: 0,
        by: name,
      }),
    );
  await page.getByRole('button', { name: 'Sync now' }).click();
  await page.locator('td[data-environment="prod"] .version-name', { hasText: '1.5.0' }).waitFor();
  assert.equal(world.engine.asked.filter(({ what, name }) => what === 'sync' && name === 'myshop-api-prod').length, 1);
  assert.deepEqual(complaints, []);
});

test('what happens is seen at once, and a lost server is said so', { skip }, async () => {
  const world = await startPageWorld();
  const { page } = await look(world, { viewport: desktop });
  await page.locator('.connection.live').waitFor();
  await page.locator('.event', { hasText: 'Revert' }).waitFor();
  const count = await page.locator('.event').count();
  await world.audit.record({
    kind: 'sync-failed',
    actor: { kind: 'controller', name: 'slipway' },
    cause: 'webhook',
    application: 'search-dev',
    message: 'the chart does not render',
  });
  await page.locator('.event', { hasText: 'the chart does not render' }).waitFor();
  assert.equal(await page.locator('.event').count(), count + 1);
  world.engine.remove('search-dev');
  await page.locator('[data-application="search-dev"]').waitFor({ state: 'detached' });
  await world[Symbol.asyncDispose]();
  await page.locator('.notice', { hasText: 'does not answer' }).waitFor();
  assert.match(await page.locator('.notice').innerText(), /as of/);
});

test('on a phone', { skip }, async () => {
  await using world = await startPageWorld();
  const { page, complaints } = await look(world, { viewport: phone });
  await page.locator('.pending', { hasText: '1.5.0' }).waitFor();
  await assertFits(page);
  await shoot(page, 'phone');
  await page.locator('[data-application="myshop-api-prod"] .application-row').click();
  await page.locator('.diff').waitFor();
  await assertFits(page);
  assert.deepEqual(complaints, []);
});

test('a world without applications says what to do', { skip }, async () => {
  await using world = await startPageWorld({ empty: true });
  const { page } = await look(world, { viewport: phone });
  await page.locator('.empty', { hasText: 'kubectl apply' }).waitFor();
});

test('reading without a token shows no button to write', { skip }, async () => {
  await using world = await startPageWorld({ anonymousRead: true });
  const { page } = await look(world, { viewport: desktop, withToken: false });
  await page.locator('.pending').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Sync', exact: true }).count(), 0);
});

test('without access the page says how to get it', { skip }, async () => {
  await using world = await startPageWorld();
  const { page } = await look(world, { viewport: desktop, withToken: false });
  await page.locator('.notice', { hasText: 'may not read' }).waitFor();
});
