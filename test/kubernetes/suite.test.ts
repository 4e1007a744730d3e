import { areas } from './areas.ts';
import { differences } from './differences.ts';
import { leftOut } from './left-out.ts';
import { runSuite } from './suite/run.ts';

const wanted = process.env['SLIPWAY_TEST_AREAS']?.split(',');
runSuite({
  kubeconfig: process.env['SLIPWAY_TEST_KUBECONFIG'],
  areas: areas.filter((area) => wanted === undefined || wanted.includes(area.name)),
  leftOut: wanted === undefined || wanted.includes('left-out') ? leftOut : [],
  differences,
});
