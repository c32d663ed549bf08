import { type DoctorFinding, examineMachine } from '../../operations/doctor/doctor';
import type { Command } from '../command';

const COLOURS = { fine: 'green', attention: 'yellow', broken: 'red' } as const satisfies Record<
  DoctorFinding['state'],
  string
>;

export const doctor: Command = {
  name: 'doctor',
  usage: '',
  summary: 'what works on this machine, what does not, and what to do',
  options: {},
  async run(_input, { services, console, signal }) {
    const findings = await examineMachine(services, signal);
    console.document(findings);
    for (const { subject, state, message, nextStep } of findings) {
      console.answer(`${console.paint(COLOURS[state], state.padEnd(9))}  ${subject.padEnd(11)}  ${message}`);
      if (nextStep !== undefined) console.answer(`${' '.repeat(24)}${nextStep}`);
    }
    return findings.some(({ state }) => state === 'broken') ? 1 : 0;
  }
};
