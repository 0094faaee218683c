// What is wrong with the look of a page, one line each: contrast of texts (WCAG 2.2, 1.4.3)
// and of edges (1.4.11), what is too small to be met (2.5.8), what is wider than the page.
(() => {
  const faults = [];
  const parse = (text) => {
    const parts = text.match(/[\d.]+/g).map(Number);
    return { rgb: parts.slice(0, 3), alpha: parts.length > 3 ? parts[3] : 1 };
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.alpha === 1) return color.rgb;
      if (color.alpha > 0) faults.push(`half transparent: ${at.className}`);
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let texts = 0;
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const style = getComputedStyle(element);
    if (!walker.currentNode.data.trim() || style.visibility === 'hidden' || !element.getClientRects().length) continue;
    texts += 1;
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const found = ratio(parse(style.color).rgb, behind(element));
    if (found < (large ? 3 : 4.5)) faults.push(`contrast ${found.toFixed(2)}: ${walker.currentNode.data.trim().slice(0, 40)}`);
    if (size < 12) faults.push(`letters of ${size}px: ${walker.currentNode.data.trim().slice(0, 40)}`);
  }
  if (texts < 5) faults.push(`only ${texts} texts`);
  for (const element of document.querySelectorAll('input, button')) {
    const edge = parse(getComputedStyle(element).borderTopColor).rgb;
    const found = ratio(edge, behind(element.parentElement));
    if (found < 3) faults.push(`edge ${found.toFixed(2)}: ${element.name || element.textContent}`);
    if (element.getBoundingClientRect().height < 44) faults.push(`too low to be met: ${element.textContent}`);
  }
  for (const element of document.querySelectorAll('header a, nav a')) {
    const box = element.getBoundingClientRect();
    if (box.height < 24 || box.width < 24) faults.push(`too small to be met: ${element.textContent}`);
  }
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) {
    faults.push(`wider than the page: ${root.scrollWidth} of ${root.clientWidth}`);
    for (const element of document.querySelectorAll('body *')) {
      if (element.getBoundingClientRect().right > root.clientWidth + 1) faults.push(`  ${element.tagName} ${element.className}`);
    }
  }
  if (document.scripts.length || document.querySelector('[style], style, iframe, object, embed')) faults.push('more than markup');
  return faults;
})()
