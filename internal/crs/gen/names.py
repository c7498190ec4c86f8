"""Writes ../names/*.tsv, by which package crs knows datums, ellipsoids, meridians and CRSs that files name, from proj.db.

    pip install pyproj==3.7.2
    python3 internal/crs/gen/names.py            # the proj.db of the installed pyproj
    python3 internal/crs/gen/names.py PROJ.DB    # another one

The result depends on proj.db alone. ../EPSG-NOTICE.txt goes with it. Codes are the EPSG dataset's throughout.
"""

import os
from collections import defaultdict

from projdb import Units, open_db

HERE = os.path.dirname(os.path.abspath(__file__))


def num(v):
    v = float(v)
    return repr(int(v)) if v.is_integer() and abs(v) < 1e15 else repr(v)


def normal(name):
    """As normal() in names.go: letters in lower case, digits, + and what is not ASCII."""
    return "".join(c for c in name if not c.isascii() or c.isalnum() or c == "+").translate(LOWER)


LOWER = {c: c + 32 for c in range(ord("A"), ord("Z") + 1)}


def fnv(text):
    """The lower 31 bits of FNV-1a."""
    h = 2166136261
    for b in text.encode():
        h = (h ^ b) * 16777619 & 0xFFFFFFFF
    return h & 0x7FFFFFFF


def write(name, rows):
    with open(os.path.join(HERE, "..", "names", name), "w", encoding="utf-8", newline="\n") as f:
        for key in sorted(rows):
            f.write("\t".join((str(key), *rows[key])).rstrip("\t") + "\n")


class Names:
    """Codes by the hash of what kind of thing is named how; those in force before deprecated ones, and the nearest names first."""

    NEARNESS = {"name": 0, "base": 1, "PROJ": 2, "ESRI": 3, "ESRI_OLD": 4, "EPSG": 5}

    def __init__(self, db):
        self.db = db
        self.codes = defaultdict(dict)

    def add(self, kind, table, aliases, where="1", bases=()):
        names = self.db.execute(
            f"""SELECT code, deprecated, name, 'name' FROM {table} WHERE auth_name = 'EPSG' AND {where} UNION ALL
                SELECT t.code, t.deprecated, a.alt_name, a.source FROM {table} t
                  JOIN alias_name a ON a.table_name = '{table}' AND a.auth_name = 'EPSG' AND a.code = t.code
                WHERE t.auth_name = 'EPSG' AND {where} AND a.{aliases}"""
        ).fetchall()
        for code, deprecated, name, source in names:
            if (code, normal(name)) in bases:
                source = "base"
            codes = self.codes[fnv(f"{kind} {normal(name)}")]
            codes[code] = min((deprecated, self.NEARNESS[source]), codes.get(code, (2, 0)))

    def rows(self):
        for key, codes in self.codes.items():
            yield key, [str(c) for c in sorted(codes, key=lambda c: (*codes[c], c))]


def main():
    db = open_db()
    units = Units(db)

    names = Names(db)
    # Of datums with one alias the one is nearer whose geographic CRS has it as its name ("ETRS89").
    bases = {(code, normal(name)) for code, name in db.execute(
        "SELECT datum_code, name FROM geodetic_crs WHERE auth_name = 'EPSG' AND deprecated = 0")}
    names.add("datum", "geodetic_datum", "source IS NOT NULL", bases=bases)
    names.add("ellipsoid", "ellipsoid", "source IS NOT NULL")
    geographic = "type IN ('geographic 2D', 'geographic 3D')"
    names.add("crs", "geodetic_crs", "source <> 'EPSG'", geographic)
    # The EPSG dataset's own aliases of projected CRSs are mostly abbreviations; those with " / " are former names.
    names.add("crs", "projected_crs", "alt_name LIKE CASE source WHEN 'EPSG' THEN '% / %' ELSE '%' END")
    write("names.tsv", dict(names.rows()))

    # Ellipsoid: name, semi-major axis in metres, inverse flattening (0 for a sphere).
    rows = {}
    for code, name, a, uom, inv_f, b in db.execute(
        """SELECT code, name, semi_major_axis, uom_code, inv_flattening, semi_minor_axis FROM ellipsoid
           WHERE auth_name = 'EPSG'"""
    ):
        a = units.metres(a, uom)
        if inv_f is None:
            b = units.metres(b, uom)
            inv_f = 0 if a == b else a / (a - b)
        rows[code] = name, num(a), num(inv_f)
    write("ellipsoids.tsv", rows)

    # Prime meridian: name, degrees.
    write("meridians.tsv", {
        code: (name, num(units.degrees(longitude, uom))) for code, name, longitude, uom in db.execute(
            "SELECT code, name, longitude, uom_code FROM prime_meridian WHERE auth_name = 'EPSG'")
    })

    # Datum: name, ellipsoid, prime meridian, and the geographic CRS that stands for it. Geographic CRS: datum.
    datums, bases = {}, {}
    for code, name, ellipsoid, meridian in db.execute(
        """SELECT code, name, ellipsoid_code, prime_meridian_code FROM geodetic_datum
           WHERE auth_name = 'EPSG' ORDER BY code"""
    ):
        datums[code] = name, str(ellipsoid), str(meridian)
    for code, datum in db.execute(
        f"""SELECT code, datum_code FROM geodetic_crs WHERE auth_name = 'EPSG' AND {geographic}
            ORDER BY deprecated, type, code"""
    ):
        bases[code] = (str(datum),)
        if len(datums[datum]) == 3:
            datums[datum] += (str(code),)
    write("datums.tsv", {code: row for code, row in datums.items() if len(row) == 4})
    write("geographic.tsv", bases)

    # Conversion: a projected CRS that is made by it.
    write("conversions.tsv", {
        code: (str(crs),) for code, crs in db.execute(
            """SELECT conversion_code, code FROM projected_crs WHERE auth_name = 'EPSG' AND conversion_auth_name = 'EPSG'
               ORDER BY deprecated DESC, code DESC""")
    })

    # Unit: name, metres or degrees.
    write("units.tsv", {
        code: (name, num(units.degrees_per_unit(code) if kind == "angle" else factor)) for code, name, factor, kind in db.execute(
            """SELECT code, name, conv_factor, type FROM unit_of_measure WHERE auth_name = 'EPSG'
               AND type IN ('length', 'angle') AND code BETWEEN 9001 AND 9199 AND conv_factor > 0
               OR auth_name = 'EPSG' AND code BETWEEN 9300 AND 9399""")
    })


if __name__ == "__main__":
    main()
