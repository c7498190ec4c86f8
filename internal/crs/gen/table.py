"""Writes ../epsg.tsv and ../shifts.tsv, the tables that package crs embeds, from PROJ's proj.db.

    pip install pyproj==3.7.2
    python3 internal/crs/gen/table.py            # the proj.db of the installed pyproj
    python3 internal/crs/gen/table.py PROJ.DB    # another one, e.g. that of Debian's proj-data

The result depends on proj.db alone. ../EPSG-NOTICE.txt goes with it.
"""

import os

from projdb import Units, open_db
from shifts import Shifts, boxes_of

TRANSVERSE_MERCATOR = (9807, 1111)
PSEUDO_MERCATOR = 1024
HERE = os.path.dirname(os.path.abspath(__file__))


def num(v):
    v = float(v)
    return repr(int(v)) if v.is_integer() and abs(v) < 1e15 else repr(v)


class Table:
    def __init__(self, db):
        self.db, self.units = db, Units(db)
        self.shifts = Shifts(db, self.units)
        self.used = {}
        self.rows = {}
        self.replaced = dict(
            db.execute(
                """SELECT deprecated_code, replacement_code FROM deprecation WHERE table_name = 'geodetic_crs'
                   AND deprecated_auth_name = 'EPSG' AND replacement_auth_name = 'EPSG' ORDER BY replacement_code DESC"""
            )
        )

    def shift(self, datum, boxes):
        shift, accuracy = self.shifts.best(datum, boxes)
        if shift is None:
            return "", num(accuracy)
        self.used[shift.code] = shift
        return str(shift.code), num(accuracy)

    def geographic(self):
        boxes = boxes_of(self.db, "geodetic_crs")
        self.datums = {}
        self.base_shift = {}
        for code, name, datum, ellipsoid, a, a_uom, inv_f, b, lon, lon_uom, uom in self.db.execute(
            """SELECT g.code, g.name, g.datum_code, d.ellipsoid_code, e.semi_major_axis, e.uom_code, e.inv_flattening,
                 e.semi_minor_axis, p.longitude, p.uom_code,
                 (SELECT uom_code FROM axis WHERE coordinate_system_auth_name = g.coordinate_system_auth_name
                    AND coordinate_system_code = g.coordinate_system_code AND coordinate_system_order = 1)
               FROM geodetic_crs g
               JOIN geodetic_datum d ON d.auth_name = g.datum_auth_name AND d.code = g.datum_code
               JOIN ellipsoid e ON e.auth_name = d.ellipsoid_auth_name AND e.code = d.ellipsoid_code
               JOIN prime_meridian p ON p.auth_name = d.prime_meridian_auth_name AND p.code = d.prime_meridian_code
               WHERE g.auth_name = 'EPSG' AND g.type IN ('geographic 2D', 'geographic 3D')
               ORDER BY g.code"""
        ):
            # A deprecated CRS often has no transformation of its own; the one that replaced it on the same figure does.
            other = self.replaced.get(code)
            shift, accuracy = self.shift(datum, boxes[code])
            if accuracy == "-1" and other in self.shifts.datum_of:
                stand_in = self.shifts.datum_of[other]
                if self.shifts.ellipsoid_of[stand_in] == ellipsoid:
                    datum = stand_in
                    shift, accuracy = self.shift(datum, boxes[code] or boxes[other])
            a = self.units.metres(a, a_uom)
            if inv_f is None:
                b = self.units.metres(b, a_uom)
                inv_f = 0 if a == b else a / (a - b)
            self.datums[code] = datum
            self.base_shift[code] = shift, accuracy
            self.rows[code] = ("G", name, num(a), num(inv_f), num(self.units.degrees(lon, lon_uom)),
                               num(self.units.degrees_per_unit(uom)), shift, accuracy)

    def projected(self):
        boxes = boxes_of(self.db, "projected_crs")
        for row in self.db.execute(
            """SELECT p.code, p.name, p.geodetic_crs_code, c.method_code, m.name,
                 (SELECT uom_code FROM axis WHERE coordinate_system_auth_name = p.coordinate_system_auth_name
                    AND coordinate_system_code = p.coordinate_system_code AND coordinate_system_order = 1),
                 c.param1_code, c.param1_value, c.param1_uom_code, c.param2_code, c.param2_value, c.param2_uom_code,
                 c.param3_code, c.param3_value, c.param3_uom_code, c.param4_code, c.param4_value, c.param4_uom_code,
                 c.param5_code, c.param5_value, c.param5_uom_code
               FROM projected_crs p
               JOIN conversion_table c ON c.auth_name = p.conversion_auth_name AND c.code = p.conversion_code
               JOIN conversion_method m ON m.auth_name = c.method_auth_name AND m.code = c.method_code
               WHERE p.auth_name = 'EPSG' ORDER BY p.code"""
        ):
            code, name, base, method, method_name, uom = row[:6]
            if method not in (*TRANSVERSE_MERCATOR, PSEUDO_MERCATOR):
                self.rows[code] = ("X", name, method_name)
                continue
            shift, accuracy = self.shift(self.datums[base], boxes[code])
            # A shift that is only the base CRS's is left to the base CRS.
            tail = ("", "") if (shift, accuracy) == self.base_shift[base] else (shift, accuracy)
            unit = self.units.metres(1, uom)
            if method == PSEUDO_MERCATOR:
                self.rows[code] = ("W", name, str(base), num(unit))
                continue
            p = {row[i]: (row[i + 1], row[i + 2]) for i in range(6, 21, 3)}
            self.rows[code] = (
                "T", name, str(base), num(unit), num(self.units.degrees(*p[8801])), num(self.units.degrees(*p[8802])),
                num(self.units.ratio(*p[8805])), num(self.units.metres(*p[8806])), num(self.units.metres(*p[8807])), *tail)

    def write(self, name, rows):
        with open(os.path.join(HERE, "..", name), "w", encoding="utf-8", newline="\n") as f:
            for code in sorted(rows):
                f.write("\t".join((str(code), *rows[code])).rstrip("\t") + "\n")


def main():
    table = Table(open_db())
    table.geographic()
    table.projected()
    table.write("epsg.tsv", table.rows)
    table.write("shifts.tsv", {
        code: tuple(num(v) for v in (s.params if any(s.params[3:]) else s.params[:3])) for code, s in table.used.items()
    })


if __name__ == "__main__":
    main()
