/**
 * A drawing on the screen as an SVG that stands alone: no classes, no custom properties, every style in place, on a
 * light ground whatever theme it is drawn in, for that is what papers and wikis have.
 */

/** What an element's look is made of, where it differs from what an SVG begins with. */
const STYLES: Readonly<Record<string, string>> = {
  fill: 'rgb(0, 0, 0)',
  stroke: 'none',
  'stroke-width': '1px',
  'stroke-dasharray': 'none',
  'stroke-linejoin': 'miter',
  'paint-order': 'normal',
  opacity: '1',
  'font-size': '',
  'font-weight': '400',
  'font-variant-numeric': 'normal',
  'text-anchor': 'start',
}

const FONT = "'Inter', 'Noto Sans', 'Helvetica', sans-serif"

/** Attributes that say where something is; the others are for the page. */
const PLACE = new Set(
  'x y x1 x2 y1 y2 cx cy r rx ry width height d transform dx dy viewBox points text-anchor'.split(' '),
)

/** Nothing of these is seen: where the pointer would light a row. */
const isSeen = (style: CSSStyleDeclaration) =>
  style.opacity !== '0' && !(clear(style.fill) && (clear(style.stroke) || style.stroke === ''))
const clear = (paint: string) => paint === 'none' || paint === 'transparent' || paint === 'rgba(0, 0, 0, 0)'

/** Text of the SVG file, with a title for who can't see it. */
export function pictureOf(svg: SVGSVGElement, title: string): string {
  const { width, height } = svg.getBoundingClientRect()
  const copy = svg.cloneNode(true) as SVGSVGElement
  // Drawn once more under the light theme, out of sight, so that the browser says what each style comes to.
  const stand = document.createElement('div')
  stand.dataset.theme = 'light'
  stand.style.cssText = 'position: fixed; left: -100vw; top: 0; visibility: hidden'
  const home = svg.parentElement ?? document.body
  stand.style.setProperty('--bg', '#ffffff')
  home.append(stand)
  stand.append(copy)
  try {
    inline(copy)
  } finally {
    stand.remove()
  }
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  copy.setAttribute('viewBox', `0 0 ${Math.round(width)} ${Math.round(height)}`)
  copy.setAttribute('width', `${Math.round(width)}`)
  copy.setAttribute('height', `${Math.round(height)}`)
  copy.setAttribute('font-family', FONT)
  const ground = document.createElementNS('http://www.w3.org/2000/svg', 'rect')
  for (const [name, value] of Object.entries({ width: '100%', height: '100%', fill: '#ffffff' }))
    ground.setAttribute(name, value)
  const name = document.createElementNS('http://www.w3.org/2000/svg', 'title')
  name.textContent = title
  copy.prepend(name, ground)
  return new XMLSerializer().serializeToString(copy)
}

/** Gives each element its computed look as attributes, from the leaves up, and takes the page's attributes away. */
function inline(element: Element): void {
  for (const child of [...element.childNodes]) {
    if (child instanceof Element) inline(child)
    else if (child.nodeType === Node.COMMENT_NODE) child.remove()
  }
  const style = getComputedStyle(element)
  const shape = element.localName !== 'g' && element.localName !== 'svg' && element.localName !== 'title'
  if (shape && !isSeen(style)) {
    element.remove()
    return
  }
  const look = Object.entries(STYLES)
    .filter(([name]) => shape || name === 'opacity')
    .filter(([name]) => !name.startsWith('font') || element.localName === 'text' || element.localName === 'tspan')
    .map(([name, initial]) => [name, style.getPropertyValue(name), initial] as const)
    .filter(([, value, initial]) => value !== '' && value !== initial)
  for (const { name } of [...element.attributes]) if (!PLACE.has(name)) element.removeAttribute(name)
  for (const [name, value] of look) element.setAttribute(name, value)
}
