"""What the generators share: proj.db opened, units turned into degrees and metres."""

import os
import sqlite3
import sys
from decimal import Decimal


def open_db():
    """The proj.db named on the command line, else the one of the installed pyproj."""
    if len(sys.argv) > 1:
        path = sys.argv[1]
    else:
        import pyproj

        path = os.path.join(pyproj.datadir.get_data_dir(), "proj.db")
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True)


class Units:
    """Unit factors of the database, by EPSG code."""

    SEXAGESIMAL = 9110  # DDD.MMSSsss
    SUPPLIER_DEGREE = (9102, 9107, 9108, 9122)  # degrees, however a supplier writes them
    GRADS = (9105, 9106)
    BARE = (None, 9001)  # a scale factor given "in metres" by mistake is a plain number

    def __init__(self, db):
        units = db.execute("SELECT code, conv_factor, type FROM unit_of_measure WHERE auth_name = 'EPSG'").fetchall()
        self.factor = {code: factor for code, factor, _ in units}
        self.kind = {code: kind for code, _, kind in units}

    def value(self, value, uom):
        """A parameter's value in degrees, metres, or as a ratio."""
        return {"angle": self.degrees, "length": self.metres, "scale": self.ratio}[self.kind[uom]](value, uom)

    def degrees(self, value, uom):
        d = Decimal(repr(float(value)))
        if uom == self.SEXAGESIMAL:
            sign, d = (-1 if d < 0 else 1), abs(d)
            whole = int(d)
            minutes = int(d * 100) - whole * 100
            seconds = d * 10000 - whole * 10000 - minutes * 100
            return float(sign * (whole + Decimal(minutes) / 60 + seconds / 3600))
        return float(d * Decimal(repr(self.degrees_per_unit(uom))))

    def degrees_per_unit(self, uom):
        if uom in self.SUPPLIER_DEGREE:
            return 1.0
        if uom in self.GRADS:
            return 0.9
        return self.factor[uom] * 57.29577951308232

    def metres(self, value, uom):
        return float(value) * self.factor[uom] if uom != 9001 else float(value)

    def ratio(self, value, uom):
        """A scale, with 9202 (parts per million) read as 1e-6."""
        return float(value) * (1.0 if uom in self.BARE else self.factor[uom])
