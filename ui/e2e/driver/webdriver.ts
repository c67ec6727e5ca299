/** As much of the WebDriver protocol (https://www.w3.org/TR/webdriver2/) as the tests need, over fetch. */

const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf'

export class WebDriverError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(`${code}: ${message}`)
  }
}

async function request<T>(url: string, method: 'GET' | 'POST' | 'DELETE', body?: unknown): Promise<T> {
  const response = await fetch(url, {
    method,
    ...(method === 'POST' ? { body: JSON.stringify(body ?? {}), headers: { 'content-type': 'application/json' } } : {}),
    signal: AbortSignal.timeout(30_000),
  })
  const { value } = (await response.json()) as { value: T & { error?: string; message?: string } }
  if (!response.ok) throw new WebDriverError(value.error ?? String(response.status), value.message ?? '')
  return value
}

export class Element {
  constructor(
    private readonly url: string,
    readonly id: string,
  ) {}

  click(): Promise<void> {
    return request(`${this.url}/click`, 'POST')
  }

  clear(): Promise<void> {
    return request(`${this.url}/clear`, 'POST')
  }

  type(text: string): Promise<void> {
    return request(`${this.url}/value`, 'POST', { text })
  }

  text(): Promise<string> {
    return request(`${this.url}/text`, 'GET')
  }

  attribute(name: string): Promise<string | null> {
    return request(`${this.url}/attribute/${name}`, 'GET')
  }
}

export class Session {
  private constructor(private readonly url: string) {}

  static async open(driver: string, capabilities: Record<string, unknown>): Promise<Session> {
    const { sessionId } = await request<{ sessionId: string }>(`${driver}/session`, 'POST', {
      capabilities: { alwaysMatch: capabilities },
    })
    return new Session(`${driver}/session/${sessionId}`)
  }

  close(): Promise<void> {
    return request(this.url, 'DELETE')
  }

  /** The first element that matches, or null. */
  async find(css: string): Promise<Element | null> {
    try {
      const found = await request<Record<string, string>>(`${this.url}/element`, 'POST', {
        using: 'css selector',
        value: css,
      })
      return this.element(found)
    } catch (cause) {
      if (cause instanceof WebDriverError && cause.code === 'no such element') return null
      throw cause
    }
  }

  /** Runs `script` (a function's body) in the page and returns what it returns, awaited. */
  run<T>(script: string, ...args: unknown[]): Promise<T> {
    return request(`${this.url}/execute/sync`, 'POST', { script, args })
  }

  refresh(): Promise<void> {
    return request(`${this.url}/refresh`, 'POST')
  }

  source(): Promise<string> {
    return request(`${this.url}/source`, 'GET')
  }

  /**
   * What the window shows, as PNG. WebKit answers with its next paint, which a page at rest never makes: a pixel
   * nobody can see changes meanwhile.
   */
  async screenshot(): Promise<Buffer> {
    await this.run(`
      const pixel = document.createElement('i')
      pixel.id = 'webdriver-repaint'
      pixel.style.cssText = 'position:fixed;right:0;bottom:0;width:1px;height:1px;pointer-events:none'
      document.body.append(pixel)
      let odd = false
      const paint = () => {
        if (!pixel.isConnected) return
        odd = !odd
        pixel.style.background = odd ? 'rgb(128 128 128 / 0.004)' : 'transparent'
        requestAnimationFrame(paint)
      }
      paint()`)
    try {
      return Buffer.from(await request<string>(`${this.url}/screenshot`, 'GET'), 'base64')
    } finally {
      await this.run("document.getElementById('webdriver-repaint')?.remove()")
    }
  }

  async resize(width: number, height: number): Promise<void> {
    await request(`${this.url}/window/rect`, 'POST', { x: 0, y: 0, width, height })
  }

  private element(found: Record<string, string>): Element {
    const id = found[ELEMENT] ?? ''
    return new Element(`${this.url}/element/${id}`, id)
  }
}
