import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOfFormat } from './string-format.ts';

const rows: { format: string; yes: string[]; no: string[] }[] = [
  { format: 'bsonobjectid', yes: ['507f1f77bcf86cd799439011'], no: ['x'] },
  {
    format: 'uri',
    yes: ['https://x.com/a', '/a', 'mailto:a@b', 'http://[::1]/', 'http://u@h/', 'urn:isbn:1', 'x:'],
    no: ['a', 'http://a b', 'http://x:y/', '', 'http://x/%zz', '://a'],
  },
  {
    format: 'email',
    yes: ['a@b.c', 'A B <a@b.c>', 'a@b', '"a b"@c.d', 'a@[1.2.3.4]', '<a@b.c>', 'é@b.c'],
    no: ['a', 'a b@c', 'a@b.c.', '.a@b.c', 'a@b..c'],
  },
  {
    format: 'hostname',
    yes: ['a', 'é.com', 'A.B.COM'],
    no: [
      'a.b',
      '-a',
      'a_b',
      'a.b.',
      '1.2.3.4',
      'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
      'x.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.de',
      'a.1',
      '',
    ],
  },
  { format: 'ipv4', yes: ['1.2.3.4', '01.2.3.4', '::ffff:1.2.3.4'], no: ['1.2.3', '::1', '256.1.1.1', ''] },
  { format: 'ipv6', yes: ['::1', '::ffff:1.2.3.4'], no: ['1.2.3.4', 'fe80::1%eth0', '::g', '1::2::3'] },
  {
    format: 'cidr',
    yes: ['10.0.0.0/8', '::/0', '10.0.0.0/08', '1.2.3.4/24'],
    no: ['10.0.0.0', '10.0.0.0/33', '::1%a/64'],
  },
  {
    format: 'mac',
    yes: ['01:23:45:67:89:ab', '01-23-45-67-89-ab', '0123.4567.89ab', '0123456789ab', '01:23:45:67:89:ab:cd:ef'],
    no: ['01:23:45:67:89', '01:23-45:67:89:ab'],
  },
  { format: 'uuid', yes: ['123e4567-e89b-12d3-a456-426614174000', '123E4567E89B12D3A456426614174000'], no: ['x'] },
  { format: 'uuid3', yes: ['123e4567-e89b-32d3-a456-426614174000'], no: ['123e4567-e89b-12d3-a456-426614174000'] },
  { format: 'uuid4', yes: ['123e4567-e89b-42d3-a456-426614174000'], no: ['123e4567-e89b-42d3-c456-426614174000'] },
  { format: 'uuid5', yes: ['123e4567-e89b-52d3-a456-426614174000'], no: ['123e4567-e89b-42d3-a456-426614174000'] },
  { format: 'isbn', yes: ['0321751043', '978-0321751041'], no: ['123'] },
  { format: 'isbn10', yes: ['0321751043', '080442957X'], no: ['0321751044'] },
  { format: 'isbn13', yes: ['978-0321751041'], no: ['9780321751042'] },
  { format: 'creditcard', yes: ['4111111111111111', '4111 1111 1111 1111'], no: ['4111111111111112', 'x'] },
  { format: 'ssn', yes: ['123-45-6789', '123 45 6789'], no: ['123456789', '12-345-6789'] },
  { format: 'hexcolor', yes: ['#fff', '#FFFFFF', 'fff'], no: ['#ffff'] },
  { format: 'rgbcolor', yes: ['rgb(1,2,3)', 'rgb(255, 255, 255)'], no: ['rgb(256,1,1)', 'rgb(1,2)'] },
  { format: 'byte', yes: ['aGVsbG8='], no: ['aGVsbG8', '', '?', 'aGVsbG8\n'] },
  { format: 'password', yes: ['x'], no: [] },
  { format: 'date', yes: ['2024-02-29'], no: ['2023-02-29', '2024-2-1', 'x'] },
  {
    format: 'duration',
    yes: ['1h', '1h30m', '1.5h', '2 days', '5d', '1 week', '0', '-1h', '3 ms', '1hour 2min'],
    no: ['x', '10', '1y', ''],
  },
  {
    format: 'date-time',
    yes: ['2024-02-29T10:11:12Z', '2024-02-29T10:11:12.123+02:00', '2024-02-29t10:11:12z'],
    no: [
      '2024-02-29 10:11:12Z',
      '2024-02-29T24:11:12Z',
      '2024-02-29T10:11:12',
      '2024-02-30T10:11:12Z',
      '2024-02-29T23:59:60Z',
    ],
  },
  { format: 'datetime', yes: ['2024-02-29T10:11:12Z'], no: ['x'] },
  { format: 'nope', yes: ['x'], no: [] },
  { format: 'int32', yes: ['x'], no: [] },
  { format: 'k8s-short-name', yes: ['A B'], no: [] },
];

for (const { format, yes, no } of rows) {
  test(`format ${format}`, () => {
    for (const text of yes) assert.equal(isOfFormat(format, text), true, text);
    for (const text of no) assert.equal(isOfFormat(format, text), false, text);
  });
}
