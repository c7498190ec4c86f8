"""Writes ../testdata/definitions.json.gz: CRSs in the notations that PROJ writes, and where PROJ says that points lie.

    pip install pyproj==3.7.2
    python3 internal/crs/gen/definitions.py

A line of JSON a CRS: "code" (in the EPSG dataset; 0), "name", "gdal", "esri" and "wkt2" (texts, where PROJ can write them), "method"
and "values" of PROJJSON's conversion (degrees, metres), and "points": x, y, then longitude from Greenwich and latitude in degrees on
the CRS's own datum.
"""

import gzip
import json
import math
import os
import sys
import warnings
from collections import defaultdict

import pyproj
import pyproj.exceptions
from pyproj.enums import WktVersion

from projdb import open_db

HERE = os.path.dirname(os.path.abspath(__file__))
PER_METHOD, ESRI_PER_METHOD = 5, 3

# Definitions of no dataset: datums, units and meridians of their own, and methods that the datasets lack.
OWN = [
    "+proj=longlat +ellps=clrk66",
    "+proj=longlat +a=6371229 +b=6371229",
    "+proj=longlat +datum=NAD27",
    "+proj=longlat +ellps=intl +pm=paris",
    "+proj=utm +zone=33 +ellps=bessel",
    "+proj=utm +zone=19 +south +datum=WGS84",
    "+proj=tmerc +lat_0=10 +lon_0=20 +k=0.9999 +x_0=1000 +y_0=2000 +ellps=bessel +pm=ferro",
    "+proj=tmerc +lon_0=-81 +k=0.99995 +x_0=200000 +datum=NAD83 +units=us-ft",
    "+proj=lcc +lat_1=33 +lat_2=45 +lat_0=39 +lon_0=-96 +x_0=100 +y_0=200 +datum=NAD83",
    "+proj=lcc +lat_1=46.5 +lat_0=46.5 +lon_0=3 +k_0=0.99987742 +x_0=600000 +y_0=2200000 +ellps=clrk80ign +pm=paris",
    "+proj=aea +lat_1=29.5 +lat_2=45.5 +lat_0=23 +lon_0=-96 +datum=WGS84",
    "+proj=aea +lat_1=55 +lat_2=65 +lat_0=50 +lon_0=-154 +ellps=clrk66 +units=ft",
    "+proj=laea +lat_0=45 +lon_0=-100 +a=6370997 +b=6370997",
    "+proj=laea +lat_0=52 +lon_0=10 +x_0=4321000 +y_0=3210000 +ellps=GRS80",
    "+proj=laea +lat_0=90 +lon_0=0 +datum=WGS84",
    "+proj=stere +lat_0=90 +lat_ts=70 +lon_0=-45 +a=6378273 +b=6356889.449",
    "+proj=stere +lat_0=-90 +lat_ts=-71 +lon_0=0 +datum=WGS84",
    "+proj=stere +lat_0=90 +lon_0=-33 +k=0.994 +x_0=2000000 +y_0=2000000 +datum=WGS84",
    "+proj=stere +lat_0=40 +lon_0=10 +k=0.9999 +datum=WGS84",
    "+proj=sterea +lat_0=52.15 +lon_0=5.38 +k=0.9999 +x_0=155000 +y_0=463000 +ellps=bessel",
    "+proj=merc +lon_0=10 +k=0.9 +datum=WGS84",
    "+proj=merc +lat_ts=-41 +lon_0=100 +datum=WGS84",
    "+proj=merc +lon_0=0 +a=6371229 +b=6371229",
    "+proj=eqc +lat_ts=30 +lon_0=10 +datum=WGS84",
    "+proj=eqc +lat_ts=0 +lon_0=0 +a=6371007.181 +b=6371007.181",
    "+proj=cea +lat_ts=30 +lon_0=0 +datum=WGS84",
    "+proj=sinu +lon_0=0 +a=6371007.181 +b=6371007.181",
    "+proj=sinu +lon_0=20 +datum=WGS84",
    "+proj=moll +lon_0=10 +datum=WGS84",
    "+proj=robin +lon_0=-10 +datum=WGS84",
    "+proj=eck4 +lon_0=0 +datum=WGS84",
    "+proj=vandg +lon_0=0 +a=6371000 +b=6371000",
    "+proj=mill +lon_0=0 +a=6371000 +b=6371000",
    "+proj=eqdc +lat_0=40 +lon_0=-96 +lat_1=20 +lat_2=60 +datum=NAD83",
    "+proj=aeqd +lat_0=35 +lon_0=-90 +datum=WGS84",
    "+proj=ortho +lat_0=20 +lon_0=30 +a=6371000 +b=6371000",
    "+proj=gnom +lat_0=60 +lon_0=30 +a=6371000 +b=6371000",
    "+proj=poly +lat_0=0 +lon_0=-54 +x_0=5000000 +y_0=10000000 +ellps=aust_SA",
    "+proj=cass +lat_0=10 +lon_0=-61 +x_0=86501.46 +y_0=65379.0134 +ellps=clrk66",
    "+proj=geos +h=35785831 +lon_0=9.5 +datum=WGS84",
    "+proj=geos +h=35786023 +lon_0=-75 +sweep=x +ellps=GRS80",
    "+proj=omerc +lat_0=4 +lonc=115 +alpha=53.3 +gamma=53.1 +k=0.99984 +ellps=evrstSS",
    "+proj=omerc +no_uoff +lat_0=57 +lonc=-133.6 +alpha=323.1 +gamma=323.1 +k=0.9999 +x_0=5000000 +y_0=-5000000 +datum=NAD83",
    "+proj=nzmg +lat_0=-41 +lon_0=173 +x_0=2510000 +y_0=6023150 +ellps=intl",
    "+proj=bonne +lat_1=45 +lon_0=0 +datum=WGS84",
]


def projected(db, auth, limit):
    """Codes and methods of projected CRSs, as many of each method, spread over their codes."""
    methods = defaultdict(list)
    for code, method in db.execute(
        """SELECT p.code, m.name FROM projected_crs p
             JOIN conversion_table c ON c.auth_name = p.conversion_auth_name AND c.code = p.conversion_code
             JOIN conversion_method m ON m.auth_name = c.method_auth_name AND m.code = c.method_code
           WHERE p.auth_name = ? AND p.deprecated = 0 ORDER BY CAST(p.code AS INTEGER)""",
        (auth,),
    ):
        methods[method].append(code)
    for codes in methods.values():
        step = max(1, len(codes) // limit)
        for code in codes[step // 2 :: step][:limit]:
            yield pyproj.CRS.from_authority(auth, code)


def esri_texts(db):
    """ESRI's projected CRSs without a conversion in tables: the world's and continents' projections."""
    for (code,) in db.execute(
        """SELECT code FROM projected_crs WHERE auth_name = 'ESRI' AND deprecated = 0 AND text_definition IS NOT NULL
           AND CAST(code AS INTEGER) BETWEEN 53000 AND 102040 ORDER BY CAST(code AS INTEGER)"""
    ):
        yield pyproj.CRS.from_authority("ESRI", code)


def text(crs, version):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return crs.to_wkt(version)
    except Exception:
        return None


def notation(crs, version, where):
    """The text of crs, unless PROJ itself reads something else out of it."""
    s = text(crs, version)
    if not s or not where:
        return s
    try:
        back = points(pyproj.CRS(s), where)
    except pyproj.exceptions.ProjError:
        return None
    return s if all(math.dist(p[2:], q[2:]) < 1e-8 for p, q in zip(where, back)) and len(back) == len(where) else None


def angle(o, of="value"):
    """The degrees of a PROJJSON quantity."""
    v, unit = o[of], o.get("unit", "degree")
    if isinstance(v, dict):
        return angle(v)
    return v if unit == "degree" else v * unit["conversion_factor"] * 180 / math.pi


def quantity(p):
    unit = p.get("unit")
    if isinstance(unit, dict):
        v = p["value"] * unit["conversion_factor"]
        return v * 180 / math.pi if unit["type"] == "AngularUnit" else v
    return p["value"]


def points(crs, same=None):
    """Points of the area of use, or of the projection's neighbourhood of its origin, as PROJ sees them; or where it sees the same."""
    base = crs.geodetic_crs
    j = base.to_json_dict()
    datum = j.get("datum") or j.get("datum_ensemble")
    meridian = angle(datum["prime_meridian"], "longitude") if "prime_meridian" in datum else 0.0
    unit = base.axis_info[0].unit_conversion_factor * 180 / math.pi
    to = pyproj.Transformer.from_crs(base, crs, always_xy=True, only_best=False)
    if same is not None:
        lonlat = (to.transform(p[0], p[1], direction="INVERSE") for p in same)
        return [[p[0], p[1], lon * unit + meridian, lat * unit] for p, (lon, lat) in zip(same, lonlat)]
    a = crs.area_of_use
    if a and a.west < a.east:
        where = [(a.west, a.south, a.east, a.north)]
    else:
        p = {q["name"]: quantity(q) for q in crs.to_json_dict().get("conversion", {}).get("parameters", [])}
        lon = next((v for k, v in p.items() if k.startswith("Longitude")), 0) + meridian
        lat = next((v for k, v in p.items() if k.startswith("Latitude")), 20)
        lat = max(-80, min(80, lat))
        where = [(lon - 5, lat - 4, lon + 5, lat + 4)]
    found = []
    for w, s, e, n in where:
        for u, v in ((0.5, 0.5), (0.2, 0.7), (0.85, 0.3)):
            lon, lat = (w + (e - w) * u - meridian) / unit, (s + (n - s) * v) / unit
            x, y = to.transform(lon, lat)
            if not (math.isfinite(x) and math.isfinite(y)):
                continue
            x, y = round(x, 3 if crs.is_projected else 9), round(y, 3 if crs.is_projected else 9)
            back = to.transform(x, y, direction="INVERSE")
            if math.dist(back, (lon, lat)) < 1e-4:  # finite, and on the same side of projections that show places twice
                lon, lat = back
                found.append([x, y, round(lon * unit + meridian, 12), round(lat * unit, 12)])
    return found


def entry(crs):
    j = crs.to_json_dict()
    if j["type"] == "BoundCRS":
        return None
    own = j.get("id", {})
    conversion = j.get("conversion", {})
    try:
        where = points(crs)
    except pyproj.exceptions.ProjError:
        return None  # a method that PROJ only names
    if not where:
        return None
    e = {
        "code": own["code"] if own.get("authority") == "EPSG" else 0,
        "name": crs.name,
        "gdal": notation(crs, WktVersion.WKT1_GDAL, where),
        "esri": notation(crs, WktVersion.WKT1_ESRI, where),
        "wkt2": notation(crs, WktVersion.WKT2_2019, where),
        "method": conversion.get("method", {}).get("name", ""),
        "values": {p["name"]: quantity(p) for p in conversion.get("parameters", [])},
        "points": where,
    }
    return {k: v for k, v in e.items() if v}


def main():
    db = open_db()
    warnings.simplefilter("ignore")
    crss = list(projected(db, "EPSG", PER_METHOD))
    crss += projected(db, "ESRI", ESRI_PER_METHOD)
    crss += esri_texts(db)
    crss += [pyproj.CRS.from_authority("EPSG", c) for c in (4326, 4267, 4269, 4258, 4807, 4035, 4322, 4230, 4277, 4283, 4490, 4674, 4314)]
    crss += [pyproj.CRS(s) for s in OWN]
    rows = [json.dumps(e, separators=(",", ":")) for e in map(entry, crss) if e]
    path = os.path.join(HERE, "..", "testdata", "definitions.json.gz")
    with open(path, "wb") as f, gzip.GzipFile("", "wb", 9, f, 0) as z:
        z.write("\n".join(rows).encode() + b"\n")
    print(len(rows), "CRSs", file=sys.stderr)


if __name__ == "__main__":
    main()
