// @ts-check
// The page works without this: with it, photos go up when they are dropped, and progress is live.

const form = document.querySelector('form')
if (form) acceptDrops(form)

const album = document.querySelector('[data-follow]')
if (album) follow(album.getAttribute('data-follow') ?? '')

/** @param {HTMLFormElement} form */
function acceptDrops(form) {
  const input = /** @type {HTMLInputElement} */ (form.querySelector('input[type=file]'))
  const problems = /** @type {HTMLElement} */ (form.querySelector('.problems'))

  input.addEventListener('change', () => {
    if (input.files?.length) void send([...input.files])
  })
  for (const type of ['dragenter', 'dragover', 'dragleave', 'drop']) {
    form.addEventListener(type, (event) => {
      event.preventDefault()
      form.toggleAttribute('data-over', type === 'dragenter' || type === 'dragover')
    })
  }
  form.addEventListener('drop', ({ dataTransfer }) => {
    if (dataTransfer?.files.length) void send([...dataTransfer.files])
  })

  /** @param {File[]} files */
  async function send(files) {
    problems.replaceChildren()
    form.setAttribute('aria-busy', 'true')
    try {
      const body = new FormData()
      for (const file of files) body.append('photos', file)
      const response = await fetch(form.action, {
        method: 'POST',
        body,
        headers: { accept: 'application/json' },
      })
      const answer = await response.json()
      if (response.status === 202) return location.assign(answer.status)
      refuse(answer.problems ?? [{ message: 'That did not work; try again in a moment.' }])
    } catch {
      refuse([{ message: 'The server could not be reached.' }])
    }
    form.removeAttribute('aria-busy')
    input.value = ''
  }

  /** @param {{ file?: string, message: string }[]} list */
  function refuse(list) {
    const title = document.createElement('strong')
    title.textContent = 'Nothing was uploaded.'
    const items = list.map(({ file, message }) => {
      const item = document.createElement('li')
      item.textContent = file ? `${file}: ${message}` : message
      return item
    })
    const ul = document.createElement('ul')
    ul.append(...items)
    problems.replaceChildren(title, ul)
  }
}

/** @param {string} url */
function follow(url) {
  const events = new EventSource(url)
  events.addEventListener('part', ({ data }) => {
    const template = document.createElement('template')
    template.innerHTML = data
    const fresh = template.content.firstElementChild
    const old = fresh && document.getElementById(fresh.id)
    if (old && !old.isEqualNode(fresh)) old.replaceWith(fresh)
  })
  events.addEventListener('done', () => events.close())
}
