import { describe, expect, it } from 'vitest';
import { childOf, escapeXml, parseXml, textOf } from '../../../server/artifacts/s3/xml';

describe('XML of S3', () => {
  it('is read as elements and text', () => {
    const root = parseXml(
      '<?xml version="1.0" encoding="UTF-8"?>\n<Error xmlns="http://s3/" a=\'b\'><Code>NoSuchKey</Code>\n<Empty/><Key>a &amp; b&#x20AC;&#8364;&quot;</Key></Error>\n'
    );
    expect(root?.name).toBe('Error');
    expect(textOf(root, 'Code')).toBe('NoSuchKey');
    expect(textOf(root, 'Empty')).toBe('');
    expect(textOf(root, 'Key')).toBe('a & b€€"');
    expect(childOf(root, 'Other')).toBeUndefined();
  });

  it.each([
    '',
    'plain text',
    '{"json": true}',
    '<a>',
    '<a></b>',
    '<a></a><b></b>',
    '</a>',
    '<a>&unknown;</a>',
    '<a>&amp</a>',
    '<a>&#0;</a>',
    '<a>&#x110000;</a>',
    '<a>&__proto__;</a>',
    '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    '<a><!-- comment --></a>',
    '<a><![CDATA[x]]></a>',
    '<a><?php x?></a>',
    '<a b=c></a>',
    '<a><b</a>',
    `${'<a>'.repeat(100)}${'</a>'.repeat(100)}`
  ])('is refused: %s', (text) => {
    expect(parseXml(text)).toBeUndefined();
  });

  it('takes no longer for hostile texts', () => {
    for (const text of [
      '<'.repeat(100_000),
      `<a ${'b="c" '.repeat(20_000)}`,
      '&'.repeat(100_000),
      ' '.repeat(500_000)
    ]) {
      expect(parseXml(text)).toBeUndefined();
    }
  });

  it('gives back what was written into it', () => {
    const text = '<a href="x">&amp;\'</a>';
    expect(textOf(parseXml(`<r><t>${escapeXml(text)}</t></r>`), 't')).toBe(text);
  });
});
