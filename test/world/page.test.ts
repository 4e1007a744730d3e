import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { bootstrap } from '#main/demo/legs/bootstrap.ts';
import { pushToDev } from '#main/demo/legs/push-to-dev.ts';
import { proposeRelease } from '#main/demo/legs/release-to-prod.ts';
import { waitForVersion } from '#main/demo/tools.ts';
import { chromiumArgs, findChromium } from '../web/chromium.ts';
import { person } from './shared-world.ts';

const found = findChromium();
const skip = 'reason' in found ? found.reason : false;
/** The picture in the README is this test's, taken with SLIPWAY_PICTURE=1. */
const picture = process.env['SLIPWAY_PICTURE'] ? join(import.meta.dirname, '..', '..', 'docs') : undefined;

let browser: Browser | undefined;
after(async () => browser?.close());

async function open(
  url: string,
  viewport: { width: number; height: number },
): Promise<{ page: Page; complaints: string[] }> {
  assert.ok('path' in found);
  browser ??= await chromium.launch({ executablePath: found.path, args: chromiumArgs });
  const page = await (await browser.newContext({ viewport, colorScheme: 'light', deviceScaleFactor: 2 })).newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  await page.goto(url);
  return { page, complaints };
}

async function shoot(page: Page, name: string): Promise<void> {
  if (picture === undefined) return;
  mkdirSync(picture, { recursive: true });
  await page.screenshot({ path: join(picture, `${name}.png`) });
}

test('the page of the running world follows a release live, and its Sync button ships it', { skip }, async () => {
  const me = await person();
  const { slipway } = me.world;
  await bootstrap.run(me);
  const { page, complaints } = await open(`${slipway.url}/?token=${slipway.token}`, { width: 1440, height: 900 });
  const dev = page.locator('td[data-environment="dev"] .cell');
  const prod = page.locator('td[data-environment="prod"] .cell');
  await dev.getByText('1.4.2').waitFor();

  // Not reloaded from here on: what changes, changes by the live stream.
  await pushToDev.run(me);
  await dev.getByText(/^main-[0-9a-f]{7}$/).waitFor();
  await proposeRelease(me);
  await prod.locator('.pending', { hasText: '1.5.0' }).waitFor();
  await shoot(page, 'page');

  const phone = await open(slipway.url, { width: 390, height: 844 });
  await phone.page.getByText('1.5.0').first().waitFor();
  const widths: unknown = await phone.page.evaluate('[document.documentElement.scrollWidth, innerWidth]');
  assert.ok(Array.isArray(widths) && widths[0] <= widths[1], `${widths} sticks out on a phone`);
  await shoot(phone.page, 'page-phone');

  await prod.getByRole('button', { name: 'Sync' }).click();
  await page.locator('dialog .diff').waitFor();
  await page.locator('dialog').getByRole('button', { name: 'Sync' }).click();
  await waitForVersion(me, { url: me.facts.get('prod-url') ?? '', version: '1.5.0', timeoutMs: 30_000 });
  await prod.locator('.pending').waitFor({ state: 'detached' });
  assert.match(await prod.innerText(), /1\.5\.0[\s\S]*Synced/);
  assert.deepEqual([complaints, phone.complaints], [[], []]);
});
