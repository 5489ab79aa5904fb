/** What `npm start` prints when all is ready. The first line is for programs too. */
export function welcome (url: string, description: string): string {
  return `geordi is ready: ${url}

  Logins (${url}/login)
    picard / engage    an admin: may profile any request with ?__geordi__
    wesley / shutup    may not

  Three to try, logged in as picard
    ${url}/slow/cpu?ms=500&__geordi__
    ${url}/slow/queries?n=200&__geordi__
    ${url}/repositories/warp-core?__geordi__

  With curl
    curl -c cookies.txt -d 'username=picard&password=engage' ${url}/login
    curl -b cookies.txt -L --fail-with-body -o report.pdf '${url}/slow/cpu?ms=500&__geordi__'

  Running: ${description}. Ctrl-C ends everything.
`
}
