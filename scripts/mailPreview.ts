/** `npm run mail:preview [-- FOLDER]`: every e-mail with sample data, as HTML and as text, in `.data/mail-preview`. */
import { renderMail, sampleMails } from "@englog/domain/mail/Templates"
import * as fs from "node:fs"
import * as path from "node:path"

const folder = path.resolve(process.env["INIT_CWD"] ?? process.cwd(), process.argv[2] ?? ".data/mail-preview")
fs.mkdirSync(folder, { recursive: true })
for (const [template, mail] of Object.entries(sampleMails)) {
  const { html, subject, text } = renderMail(mail)
  fs.writeFileSync(path.join(folder, `${template}.html`), html)
  fs.writeFileSync(path.join(folder, `${template}.txt`), `Subject: ${subject}\n\n${text}`)
}
console.log(`${Object.keys(sampleMails).length} e-mails in ${folder}`)
