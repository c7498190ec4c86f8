"""Writes ../testdata/geokeys.json: GeoKeys, and the CRS that GDAL reads out of a GeoTIFF that has them.

    pip install pyproj==3.7.2 rasterio==1.4.4
    python3 internal/crs/gen/geokeys.py

A line of JSON a file: "what", "keys" (numbers, lists of doubles, texts), and either "points" (as in definitions.json.gz), "method", "axes"
(of the ellipsoid: semi-major axis and inverse flattening) and "unit" (metres, of a projected CRS), or nothing where GDAL finds no CRS of the Earth.
"""

import json
import os
import struct
import warnings

import pyproj
import pyproj.exceptions
import rasterio  # noqa: F401
from rasterio.io import MemoryFile

from definitions import points

HERE = os.path.dirname(os.path.abspath(__file__))

ALBERS = (
    'PROJCS["USA_Contiguous_Albers_Equal_Area_Conic_USGS_version",GEOGCS["GCS_North_American_1983",DATUM["D_North_American_1983",'
    'SPHEROID["GRS_1980",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Albers"],'
    'PARAMETER["False_Easting",0.0],PARAMETER["False_Northing",0.0],PARAMETER["central_meridian",-96.0],'
    'PARAMETER["Standard_Parallel_1",29.5],PARAMETER["Standard_Parallel_2",45.5],PARAMETER["latitude_of_origin",23.0],UNIT["Meter",1.0]]'
)
ERDAS = (
    "IMAGINE GeoTIFF Support\nCopyright 1991 - 2001 by ERDAS, Inc. All Rights Reserved\n"
    "@(#)$RCSfile: egtf.c $ $Revision: 1.9 $ $Date: 2001 $\n"
)
WGS84 = {1024: 1, 3072: 32767, 2048: 4326, 3074: 32767, 3076: 9001}
ALL = {
    3078: 41.0, 3079: 42.0, 3080: 1.0, 3081: 2.0, 3082: 3.0, 3083: 4.0, 3084: 5.0, 3085: 6.0, 3086: 7.0, 3087: 8.0, 3088: 9.0,
    3089: 10.0, 3090: 11.0, 3091: 12.0, 3092: 0.92, 3093: 0.93, 3094: 40.0, 3095: 15.0, 3096: 46.0,
}
OTHERS = {k: v for k, v in ALL.items() if k not in (3080, 3081, 3082, 3083, 3092, 3095)}
# Gnomonic (19) is of the sphere in some versions of PROJ and of the ellipsoid in others. PROJ transforms from no south-orientated
# CRS (27) with the axes that GDAL gives it.
METHODS = [m for m in range(1, 29) if m not in (19, 27)]

FILES = [
    ("projected code", {1024: 1, 3072: 32633}),
    ("geographic code", {1024: 2, 2048: 4267}),
    ("projected code in the geodetic key", {1024: 2, 2048: 32633}),
    ("geographic code in the projected key", {1024: 1, 3072: 4326}),
    ("geographic code and projected model", {1024: 1, 2048: 4326}),
    ("no model, projected code", {3072: 32633}),
    ("no model, geographic code", {2048: 4326}),
    ("user-defined model, projected code", {1024: 32767, 3072: 32633}),
    ("user-defined model, geographic code", {1024: 32767, 2048: 4326}),
    ("model 0", {1024: 0, 2048: 4326, 3072: 32633}),
    ("geographic model, both codes", {1024: 2, 2048: 4326, 3072: 32633}),
    ("geocentric", {1024: 3, 2048: 4978}),
    ("three-dimensional code", {1024: 2, 2048: 4979}),
    ("vertical code of a three-dimensional CRS", {1024: 1, 3072: 32633, 4096: 4979}),
    ("vertical code", {1024: 1, 3072: 32633, 4096: 5773}),
    ("compound code", {1024: 1, 3072: 7405}),
    ("unknown projected code", {1024: 1, 3072: 39999, 2048: 4326}),
    ("unknown projected code with a projection", {1024: 1, 3072: 39999, 2048: 4326, 3075: 11, 3078: 40.0, 3079: 45.0, 3076: 9001}),
    ("another datum than the code's", {1024: 1, 2048: 4267, 3072: 32633}),
    ("another datum than the code's, by datum key", {1024: 1, 3072: 32633, 2050: 6267}),
    ("another datum than the code's, user-defined", {1024: 1, 2048: 32767, 2050: 6267, 3072: 32633}),
    ("another ellipsoid than the code's", {1024: 1, 3072: 32633, 2048: 4326, 2057: 6378206.4, 2059: 294.978698213898}),
    ("another ellipsoid than the code's, by code", {1024: 1, 3072: 32633, 2056: 7008}),
    ("ellipsoid axes alone beside the code", {1024: 1, 3072: 32633, 2057: 6378206.4, 2059: 294.97}),
    ("no datum beside the code", {1024: 1, 3072: 32633, 2048: 32767}),
    ("three-dimensional datum beside the code", {1024: 1, 3072: 25832, 2048: 4937}),
    ("shift beside the code", {1024: 1, 3072: 31467, 2062: [598.1, 73.7, 418.2]}),
    ("meridian beside the code", {1024: 1, 3072: 32633, 2051: 8903}),
    ("method beside the code", {1024: 1, 3072: 32633, 3075: 11, 3078: 40.0, 3079: 45.0}),
    ("conversion beside the code", {1024: 1, 3072: 32633, 3074: 16034}),
    ("feet beside a code of metres", {1024: 1, 3072: 32633, 3076: 9003}),
    ("metres beside a code of feet", {1024: 1, 3072: 2236, 3076: 9001}),
    ("other feet", {1024: 1, 3072: 2236, 3076: 9002}),
    ("unit of its own beside a code", {1024: 1, 3072: 32633, 3076: 32767, 3077: 0.3048}),
    ("angular unit beside a code", {1024: 2, 2048: 4326, 2054: 9105}),
    ("datum beside a geographic code", {1024: 2, 2048: 4326, 2050: 6267, 2056: 7008, 2057: 6378206.4}),
    ("conversion", {1024: 1, 3072: 32767, 2048: 4326, 3074: 16033, 3076: 9001}),
    ("conversion without more", {1024: 1, 2048: 4326, 3074: 16033}),
    ("conversion without a datum", {1024: 1, 3074: 16033}),
    ("conversion with feet", {1024: 1, 3072: 32767, 2048: 4267, 3074: 10406, 3076: 9003}),
    ("conversion and another datum", {1024: 1, 3072: 32767, 3074: 16033, 2048: 4326, 2050: 6267, 3076: 9001}),
    ("no projection", {1024: 1, 3072: 32767, 2048: 4269}),
    ("model alone", {1024: 2}),
    ("datum", {1024: 2, 2048: 32767, 2050: 6267}),
    ("datum without more", {1024: 2, 2050: 6267}),
    ("ellipsoid", {1024: 2, 2048: 32767, 2056: 7008}),
    ("sphere", {1024: 2, 2048: 32767, 2056: 32767, 2057: 6371229.0, 2058: 6371229.0}),
    ("semi-major axis alone", {1024: 2, 2048: 32767, 2057: 6371229.0}),
    ("both axes", {1024: 2, 2048: 32767, 2057: 6378388.0, 2058: 6356911.946}),
    ("Mars", {1024: 2, 2048: 32767, 2057: 3396190.0, 2058: 3376200.0}),
    ("datum in the citation", {1024: 2, 2048: 32767, 2049: "GCS Name = x|Datum = NAD27|Ellipsoid = Clarke 1866|Primem = Greenwich|", 2056: 7008}),
    ("WGS 84 in the citation", {1024: 2, 2048: 32767, 2049: "GCS Name = x|Datum = WGS_1984|Ellipsoid = y|", 2057: 6378137.0, 2059: 298.257223563}),
    ("meridian in the citation", {1024: 2, 2048: 32767, 2049: "GCS Name = x|Datum = North_American_Datum_1927|Ellipsoid = Clarke 1866|Primem = Paris|",
                                  2057: 6378206.4, 2059: 294.9786982, 2061: 2.33722917}),
    ("units in the citation", {1024: 2, 2048: 32767, 2049: "GCS Name = x|Datum = WGS_1984|Primem = Greenwich|AUnits = grads|", 2055: 0.015707963267948967, 2054: 32767}),
    ("unnamed angular unit", {1024: 2, 2048: 32767, 2050: 6326, 2055: 0.015707963, 2054: 32767}),
    ("grads", {1024: 2, 2048: 32767, 2050: 6326, 2054: 9105}),
    ("degrees, minutes and seconds", {1024: 2, 2048: 32767, 2050: 6326, 2054: 9107}),
    ("Paris", {1024: 2, 2048: 32767, 2050: 6275, 2051: 8903}),
    ("Paris in grads", {1024: 2, 2048: 32767, 2050: 6275, 2051: 8903, 2054: 9105}),
    ("code in grads", {1024: 2, 2048: 4807}),
    ("parameters in the code's grads", {1024: 1, 3072: 32767, 2048: 4807, 3075: 1, 3080: 1.0, 3081: 52.0, 3082: 656166.0, 3092: 0.9999}),
    ("parameters in grads", {1024: 1, 3072: 32767, 2048: 4326, 2054: 9105, 3075: 1, 3080: 1.0, 3081: 52.0, 3082: 656166.0, 3092: 0.9999}),
    ("parameters in feet", {1024: 1, 3072: 32767, 2048: 4269, 3075: 1, 3076: 9003, 3080: -81.0, 3081: 24.0, 3082: 656166.0, 3092: 0.9999}),
    ("parameters in a unit of its own", {1024: 1, 3072: 32767, 2048: 4269, 3075: 1, 3076: 32767, 3077: 0.5, 3080: -81.0, 3081: 24.0, 3082: 656166.0, 3092: 0.9999}),
    ("unit in the citation", {1024: 1, 3072: 32767, 2048: 4326, 3075: 11, 3078: 40.0, 3079: 45.0, 3082: 100.0, 3076: 9001, 3073: "PCS Name = x|LUnits = feet|"}),
    ("Erdas Imagine", {1024: 1, 3072: 32767, 1026: ERDAS + "Projection Name = UTM\nUnits = meters\nGeoTIFF Units = meters", 2048: 32767,
                       2049: ERDAS + "Unable to match Ellipsoid (Datum) to a GeographicTypeGeoKey value\nEllipsoid = Clarke 1866\nDatum = NAD27 (CONUS)",
                       2056: 7008, 3073: ERDAS + "UTM Zone 10N\nEllipsoid = Clarke 1866\nDatum = NAD27 (CONUS)", 3074: 16010, 3076: 9001}),
    ("shift", {1024: 2, 2048: 32767, 2050: 32767, 2056: 7004, 2062: [598.1, 73.7, 418.2, 0.202, 0.045, -2.455, 6.7]}),
    ("Esri WKT", {1024: 32767, 3073: "ESRI PE String = " + ALBERS}),
    ("Esri WKT and a geographic code", {1024: 32767, 2048: 4326, 3073: "ESRI PE String = " + ALBERS}),
    ("method without its second parallel", {**WGS84, 3075: 8, 3078: 40.0, 3080: 3.0}),
    ("Mercator with a scale", {**WGS84, 3075: 7, 3081: 0.0, 3080: 3.0, 3092: 0.9}),
    ("Mercator with a parallel", {**WGS84, 3075: 7, 3078: 20.0, 3081: 0.0, 3080: 3.0, 3092: 1.0}),
    ("Mercator with a latitude of origin", {**WGS84, 3075: 7, 3081: 20.0, 3080: 3.0, 3092: 1.0}),
    ("polar with a true scale", {**WGS84, 3075: 15, 3081: 60.0, 3095: 10.0, 3092: 1.0}),
    ("polar with a scale", {**WGS84, 3075: 15, 3081: 90.0, 3095: 10.0, 3092: 0.994}),
    ("polar in the south", {**WGS84, 3075: 15, 3081: -71.0, 3095: 0.0, 3092: 1.0}),
    ("polar with a scale away from the pole", {**WGS84, 3075: 15, 3081: 60.0, 3095: 10.0, 3092: 90.0}),
    ("oblique Mercator", {**WGS84, 3075: 3, 3088: 1.0, 3089: 45.0, 3094: 30.0}),
    ("oblique Mercator by its centre", {**WGS84, 3075: 9815, 3088: 1.0, 3089: 45.0, 3094: 30.0, 3096: 30.0, 3082: 1000.0}),
    *((f"method {m}, all keys", {**WGS84, **ALL, 3075: m}) for m in METHODS),
    *((f"method {m}, other keys", {**WGS84, **OTHERS, 3075: m}) for m in METHODS),
]


def tiff(keys):
    """A file of one pixel with the keys."""
    entries, doubles, texts = [], [], b""
    for key, v in sorted(keys.items()):
        if isinstance(v, int):
            entries += [key, 0, 1, v]
        elif isinstance(v, str):
            b = v.encode() + b"|"
            entries += [key, 34737, len(b), len(texts)]
            texts += b
        else:
            vs = v if isinstance(v, list) else [v]
            entries += [key, 34736, len(vs), len(doubles)]
            doubles += vs
    tags = {
        256: ("H", [1]), 257: ("H", [1]), 258: ("H", [8]), 262: ("H", [1]), 273: ("I", [0]), 279: ("I", [1]),
        33550: ("d", [1.0, 1.0, 0.0]), 33922: ("d", [0.0] * 6), 34735: ("H", [1, 1, 0, len(keys)] + entries),
    }
    if doubles:
        tags[34736] = ("d", doubles)
    if texts:
        tags[34737] = ("B", list(texts + b"\0"))
    start = 8 + 2 + 12 * len(tags) + 4
    ifd, data = struct.pack("<H", len(tags)), b"\0\0"
    for tag, (kind, values) in sorted(tags.items()):
        b = struct.pack(f"<{len(values)}{kind}", *values)
        ifd += struct.pack("<HHI", tag, {"B": 2, "H": 3, "I": 4, "d": 12}[kind], len(values))
        if tag == 273:
            b = struct.pack("<I", start)
        if len(b) <= 4:
            ifd += b.ljust(4, b"\0")
        else:
            ifd += struct.pack("<I", start + len(data))
            data += b + b"\0" * (len(b) % 2)
    return struct.pack("<2sHI", b"II", 42, 8) + ifd + struct.pack("<I", 0) + data


def horizontal(crs):
    while crs.is_compound or crs.is_bound:
        crs = crs.sub_crs_list[0] if crs.is_compound else crs.source_crs
    return crs.to_2d()


def read(what, keys):
    row = {"what": what, "keys": {str(k): v for k, v in sorted(keys.items())}}
    with MemoryFile(tiff(keys)) as m, m.open() as f:
        text = f.crs.to_wkt(version="WKT2_2019") if f.crs else ""
    if not text:
        return row
    crs = horizontal(pyproj.CRS(text))
    if not (crs.is_geographic or crs.is_projected) or not 6.3e6 < crs.ellipsoid.semi_major_metre < 6.4e6:
        return row
    try:
        where = points(crs)
    except pyproj.exceptions.ProjError:
        return row
    if not where:
        return None  # the places that were tried are none of the projection's
    method = crs.coordinate_operation.method_name if crs.is_projected else ""
    unit = {"unit": crs.axis_info[0].unit_conversion_factor} if crs.is_projected else {}
    return {**row, "method": method, "axes": [crs.ellipsoid.semi_major_metre, crs.ellipsoid.inverse_flattening], **unit, "points": where}


def main():
    warnings.simplefilter("ignore")
    with open(os.path.join(HERE, "..", "testdata", "geokeys.json"), "w", encoding="utf-8", newline="\n") as f:
        for what, keys in FILES:
            if row := read(what, keys):
                f.write(json.dumps(row, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
