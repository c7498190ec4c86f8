package httpapi

import (
	_ "embed"
	"fmt"
	"html"
	"strconv"
	"strings"
)

// The page is put together here and not by html/template, which looks methods up by name: a binary that has it keeps every method of
// every type, and a Lambda function would be half as large again.

//go:embed page.html
var pageFrame string

//go:embed page.js
var pageScript string

// markup is HTML.
type markup string

// markupf formats HTML. Arguments that are strings are text, and escaped.
func markupf(format string, args ...any) markup {
	for i, a := range args {
		if text, ok := a.(string); ok {
			args[i] = html.EscapeString(text)
		}
	}
	return markup(fmt.Sprintf(format, args...))
}

// html puts the page together.
func (p *pageView) html() []byte {
	state, button, manage, about, refreshed, script := markup("Nothing published yet"), markup(""), markup(""), markup(""), markup(""), markup("")
	if p.Published {
		state = markupf("%d items in %d collections", p.Items, len(p.Collections))
	}
	if p.Starts {
		button = `<button id="refresh" type="button">Refresh now</button>`
	}
	switch {
	case p.Manages:
		manage = markupf("<a href=\"%s/refresh/status\">Refresh status</a>\n  <a href=\"%[1]s/refresh/runs\">Runs</a>", p.Base)
		script = markupf("<script nonce=\"%s\">\n%s</script>", p.Nonce, markup(pageScript))
	case p.SignsIn:
		manage = markupf(`<a href="%s/?sign-in">Sign in</a>`, p.Base)
	}
	if p.Version != "" {
		about = markupf(" %s", p.Version)
	}
	if p.Source != "" {
		about += markupf(" · %s", p.Source)
	}
	if p.Refreshed != nil {
		refreshed = markupf(` data-refreshed="%s"`, *p.Refreshed)
	}
	var parts []string
	for name, value := range map[string]markup{
		"title": markupf("%s", p.Title), "description": markupf("%s", p.Description), "nonce": markupf("%s", p.Nonce), "base": markupf("%s", p.Base),
		"state": state, "button": button, "manage": manage, "about": about, "refreshed": refreshed, "script": script,
		"collections": p.collectionsTable(), "runs": p.runsTable(), "rejects": p.rejectsTable(),
	} {
		parts = append(parts, "{{"+name+"}}", string(value))
	}
	// In one pass, so that nothing in a value is taken for a place.
	return []byte(strings.NewReplacer(parts...).Replace(pageFrame))
}

const tableEnd = "</tbody>\n</table>\n</div>\n"

// table begins a table; the class of a column is "" or "n", for numbers.
func table(title string, columns ...[2]string) markup {
	out := markup("")
	if title != "" {
		out = markupf("<h2>%s</h2>\n", title)
	}
	out += "<div class=\"card table\">\n<table>\n<thead><tr>"
	for _, c := range columns {
		if out += `<th scope="col"`; c[1] != "" {
			out += markupf(` class="%s"`, c[1])
		}
		out += markupf(">%s</th>", c[0])
	}
	return out + "</tr></thead>\n<tbody>\n"
}

func (p *pageView) collectionsTable() markup {
	switch {
	case len(p.Collections) == 0 && p.Published:
		return "<p class=\"soft\">No raster was catalogued.</p>\n"
	case len(p.Collections) == 0:
		return "<p class=\"soft\">The first refresh fills the catalog.</p>\n"
	}
	var b strings.Builder
	b.WriteString(string(table("", [2]string{"Collection"}, [2]string{"Items", "n"}, [2]string{"Where"}, [2]string{"When"})))
	for _, c := range p.Collections {
		b.WriteString(string(markupf(`<tr>
  <td><a href="%s">%s</a><br><span class="soft">%s</span></td>
  <td class="n"><a href="%[1]s/items">%[4]d</a></td>
  <td>%[5]s</td>
  <td>%[6]s</td>
</tr>
`, c.Path, c.Title, c.Description, c.Items, c.BBox, c.Time)))
	}
	return markup(b.String()) + tableEnd
}

func (p *pageView) runsTable() markup {
	if len(p.Runs) == 0 {
		return ""
	}
	out := table("Last refreshes", [2]string{"When"}, [2]string{"State"}, [2]string{"Took", "n"}, [2]string{"Added", "n"}, [2]string{"Updated", "n"},
		[2]string{"Removed", "n"}, [2]string{"Rejects", "n"})
	for _, r := range p.Runs {
		why, counts := markup(""), markup("<td></td><td></td><td></td><td></td>")
		if r.Error != "" {
			why = markupf(`<br><span class="soft">%s</span>`, r.Error)
		}
		if r.Ended {
			rejects := markup(strconv.Itoa(r.Counts.Rejects))
			if r.Rejects != "" {
				rejects = markupf(`<a href="%s">%s</a>`, r.Rejects, rejects)
			}
			counts = markupf("<td class=\"n\">%d</td><td class=\"n\">%d</td><td class=\"n\">%d</td>\n  <td class=\"n\">%s</td>",
				r.Counts.Added, r.Counts.Updated, r.Counts.Removed, rejects)
		}
		out += markupf(`<tr>
  <td><a href="%s"><time datetime="%s">%s</time></a></td>
  <td>%s%s</td>
  <td class="n">%s</td>
  %s
</tr>
`, r.Path, r.When.UTC().Format("2006-01-02T15:04:05Z"), r.When.UTC().Format("2006-01-02 15:04 UTC"), r.State, why, r.Took, counts)
	}
	return out + tableEnd
}

func (p *pageView) rejectsTable() markup {
	if len(p.Rejects) == 0 {
		return ""
	}
	out := table("Files that could not be catalogued", [2]string{"Why"}, [2]string{"Files", "n"})
	for _, r := range p.Rejects {
		out += markupf("<tr><td><a href=\"%s\">%s</a></td><td class=\"n\">%d</td></tr>\n", r.Path, r.Code, r.Count)
	}
	return out + tableEnd
}
