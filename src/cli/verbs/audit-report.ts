import { utf8 } from '../../domain/bytes.js';
import { ok } from '../../domain/result.js';
import { formatTime } from '../../domain/time.js';
import { makeReport } from '../../workflow/report/make.js';
import type { Verb } from '../command.js';
import { reportSections } from '../render/report.js';
import { reportJson } from '../render/report-json.js';
import { sectionLines, sectionsMarkdown } from '../render/section.js';
import { makeStyle } from '../render/style.js';
import { plural } from '../render/text.js';
import { periodOptions, withWorkspace } from '../with-workspace.js';

/** A shorter journal is read before anybody wonders. */
const STEP = 2000;
/** Columns of the report in a file. */
const PAGE = 100;

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const asked = periodOptions(words);
    if (!asked.ok) return asked;
    const { from, to } = asked.value;
    const made = await makeReport(desk, { from, to }, (done) => {
      if (done % STEP === 0) context.progress(`reading entry ${done}`);
    });
    if (!made.ok) return made;
    const { report, until, isOver } = made.value;
    const period = { from, to, until, isOver };
    const out = words.text('out');
    if (out !== undefined) {
      const page = sectionsMarkdown(reportSections(report, period, makeStyle(false, PAGE)));
      const written = await desk.ports.files.writeNew(out, utf8(page));
      if (!written.ok) return written;
    }
    return ok({
      schema: 'countersign.audit-report/1',
      exit: 'OK',
      data: {
        period: {
          from: from === null ? null : formatTime(from),
          to: to === null ? null : formatTime(to),
          until: formatTime(until),
          over: isOver,
        },
        ...reportJson(report),
        ...(out === undefined ? {} : { file: out }),
      },
      text:
        out === undefined
          ? sectionLines(reportSections(report, period, context.style), context.style)
          : [`wrote ${out}: ${plural(report.entries, 'entry', 'entries')} of the period`],
    });
  });
