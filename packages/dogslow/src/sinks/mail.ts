import type { Transporter } from 'nodemailer'
import type { MailSink } from '../options.ts'
import type { DogslowEvent } from '../report.ts'
import { renderText } from '../text.ts'

const LONGEST_SUBJECT = 150

/** Mails reports and digests; the lines that follow a report are not worth a mail. */
export function mailSink ({ transport, from, to }: MailSink): (event: DogslowEvent) => Promise<void> {
  let transporter: Promise<Transporter> | undefined
  return async event => {
    if (event.type !== 'report' && event.type !== 'digest') return
    // Loaded with the first mail: most processes never send one.
    transporter ??= import('nodemailer').then(({ createTransport }) => createTransport(transport as string))
    const subject = `[dogslow] ${event.summary}`
    await (await transporter).sendMail({
      from,
      to: [...typeof to === 'string' ? [to] : to],
      subject: subject.length > LONGEST_SUBJECT ? `${subject.slice(0, LONGEST_SUBJECT)} ...` : subject,
      text: renderText(event)
    })
  }
}
