const MARKS = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const escape = (text) => text.replace(/[&<>"']/g, (mark) => MARKS[mark]);

const STYLE = "body{font:1.1rem/1.6 system-ui,sans-serif;max-width:32rem;margin:2rem auto;padding:0 1rem}"
  + "ul{padding:0;list-style:none}li{padding:.4rem 0;border-bottom:1px solid #ddd}"
  + "input,button{font:inherit;padding:.5rem .8rem}.trouble{color:#a03a26}"
  + "li button{border:0;background:none;cursor:pointer}[aria-pressed=true]{text-decoration:line-through;color:#777}";

const row = (item) => `<li><form method="post" action="/items/${item.id}/basket">`
  + `<button aria-pressed="${item.inBasket}">${item.inBasket ? "✓ " : ""}${escape(item.name)}</button></form></li>`;

export function page(list, trouble) {
  const rows = list.items.map(row).join("\n");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Shopping list</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Shopping list</h1>
${trouble ? `<p class="trouble" role="alert">${escape(trouble)}</p>` : ""}
<form method="post" action="/items">
<label for="name">What to buy</label>
<input id="name" name="name" maxlength="100" autofocus>
<button>Put on the list</button>
</form>
${rows ? `<ul>\n${rows}\n</ul>` : "<p>Nothing to buy.</p>"}
</body>
</html>
`;
}
