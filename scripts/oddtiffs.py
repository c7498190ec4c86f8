#!/usr/bin/env python3
"""Makes GeoTIFFs of every odd kind, with what GDAL says of them, for `make fidelity CORPUS=FOLDER`.

    oddtiffs.py FOLDER              some 850 files under FOLDER/files, and FOLDER/truth.jsonl
    oddtiffs.py --truth-for FOLDER  FOLDER/truth.jsonl for the TIFFs that are there; --no-sidecars leaves aside what lies beside them

Needs rasterio, pyproj and rio-cogeo from PyPI. The files are the same each time, unless --seed and --mixed ask for other random ones.
"""

import argparse
import math
import os
import random
import shutil
import sys
import warnings

import numpy as np
import pyproj
import rasterio
from rasterio.control import GroundControlPoint
from rasterio.enums import ColorInterp
from rasterio.rpc import RPC
from rasterio.shutil import copy as rio_copy
from rasterio.transform import Affine

import truth

warnings.filterwarnings("ignore")
rng = random.Random()
NORTH_UP = Affine(0.01, 0, 10, 0, -0.01, 50)

# Codes of all kinds of CRS that rasters come in: (code of EPSG, ESRI …).
NAMED = """
32601 32631 32633 32660 32701 32733 32760 26917 26910 25832 25833 23032 23030 28355 31983 29193 32118 2443 3123 3168 3375 3376 4087 4088
3031 3413 3411 3412 3976 3995 3996 5041 5042 32661 32761 3571 3572 3573 3574 3575 3576 3408 3409 3410 6931 6932 6933 3973 3974 3975
3035 2163 9311 5070 3577 3005 3310 3338 102039 102003 102008 102022 102033 5479 5480 3174 3175 6350 6414
2154 3034 31370 3812 3347 3978 3979 2056 21781 27700 29903 2157 3003 3004 31466 31467 31468 28992 28991 5514 5513 2065 2193 27200 3078
2253 2225 2263 2264 3089 26729 32040 2927 6539 6584 3424 2278 27572 27561 27563 22700 22780 3395 3832 3857 3785 54004 54008 54009 54012
54016 54030 54032 54034 54042 54052 8857 29873 29702 8441 3068 5880 3106 20790 2048 2046 3116 9377 4462 2326 3414 2039 28191
3297 3301 3346 3059 2180 2172 2173 23700 3765 31700 3844 5321 3067 2391 3006 3021 27391 5110 3763 20791 2100 5650 5652 7415 5698
4326 4269 4267 4258 4230 4283 7844 4612 4674 4979 4047 4055 4807 4902 4277 4312 4301 4149 4222 4272 5498 7405 6649 5555 7417 5500
4647 3178 5925 3294 3297 2985 5939 6204 3993 3994 3832 6870 2462 2964 3797 3799 6622 10481 26591 3907 8035 5247 5530 3167 29371 2056
""".split()

# Definitions that no code names.
DEFINED = {
    "laea": "+proj=laea +lat_0=45 +lon_0=20 +x_0=1000 +y_0=2000 +datum=WGS84",
    "laea-north": "+proj=laea +lat_0=90 +lon_0=-30 +datum=WGS84", "laea-south": "+proj=laea +lat_0=-90 +lon_0=0 +ellps=GRS80",
    "laea-sphere": "+proj=laea +lat_0=90 +lon_0=0 +R=6371228", "laea-equator": "+proj=laea +lat_0=0 +lon_0=100 +datum=WGS84",
    "aea": "+proj=aea +lat_1=20 +lat_2=60 +lat_0=40 +lon_0=-96 +datum=NAD83", "aea-sphere": "+proj=aea +lat_1=25 +lat_2=47 +lat_0=0 +lon_0=105 +R=6370997",
    "aea-ft": "+proj=aea +lat_1=27.5 +lat_2=35 +lat_0=31 +lon_0=-100 +datum=NAD83 +units=us-ft",
    "lcc2": "+proj=lcc +lat_1=33 +lat_2=45 +lat_0=40 +lon_0=-97 +R=6370000", "lcc1": "+proj=lcc +lat_1=46.5 +lat_0=46.5 +lon_0=3 +k_0=0.9998 +x_0=600000 +datum=WGS84",
    "lcc-intl-ft": "+proj=lcc +lat_1=42.1 +lat_2=43.6 +lat_0=41.5 +lon_0=-84.3 +x_0=4000000 +datum=NAD83 +units=ft",
    "eqdc": "+proj=eqdc +lat_1=20 +lat_2=60 +lat_0=39 +lon_0=-96 +datum=NAD27", "tmerc": "+proj=tmerc +lat_0=1 +lon_0=17.5 +k=0.9999 +x_0=150000 +datum=WGS84",
    "tmerc-sphere": "+proj=tmerc +lat_0=0 +lon_0=9 +k=1 +R=6371000", "utm-intl": "+proj=utm +zone=33 +ellps=intl", "utm-south": "+proj=utm +zone=20 +south +ellps=aust_SA",
    "utm-towgs84": "+proj=utm +zone=33 +ellps=bessel +towgs84=598.1,73.7,418.2,0.202,0.045,-2.455,6.7",
    "tmerc-towgs84-3": "+proj=tmerc +lat_0=0 +lon_0=15 +k=0.9996 +x_0=500000 +ellps=intl +towgs84=-87,-98,-121",
    "longlat-towgs84": "+proj=longlat +ellps=clrk66 +towgs84=-8,160,176", "longlat-sphere": "+proj=longlat +R=6371229", "longlat-pm": "+proj=longlat +ellps=clrk80ign +pm=paris",
    "longlat-grs80": "+proj=longlat +ellps=GRS80", "longlat-krass": "+proj=longlat +ellps=krass",
    "sinu": "+proj=sinu +lon_0=0 +R=6371007.181", "sinu-ellps": "+proj=sinu +lon_0=-60 +datum=WGS84", "moll": "+proj=moll +lon_0=0 +datum=WGS84",
    "moll-180": "+proj=moll +lon_0=180 +R=6371000", "robin": "+proj=robin +lon_0=0 +datum=WGS84", "eck4": "+proj=eck4 +lon_0=0 +datum=WGS84",
    "eck6": "+proj=eck6 +lon_0=10 +datum=WGS84", "eck1": "+proj=eck1 +lon_0=0 +R=6371000", "vandg": "+proj=vandg +lon_0=0 +R=6371000", "gall": "+proj=gall +lon_0=0 +datum=WGS84",
    "mill": "+proj=mill +lon_0=0 +R=6371000", "mill-ellps": "+proj=mill +lon_0=0 +datum=WGS84", "wintri": "+proj=wintri +lon_0=0 +lat_1=50.467 +R=6371000", "goode": "+proj=goode +lon_0=0 +R=6371000", "igh": "+proj=igh +lon_0=0 +datum=WGS84",
    "cea": "+proj=cea +lat_ts=30 +lon_0=0 +datum=WGS84", "cea-sphere": "+proj=cea +lat_ts=0 +lon_0=0 +R=6371228", "eqc": "+proj=eqc +lat_ts=0 +lon_0=0 +datum=WGS84",
    "eqc-ts": "+proj=eqc +lat_ts=40 +lon_0=10 +R=6371000", "eqc-180": "+proj=eqc +lon_0=180 +datum=WGS84",
    "merc-sphere": "+proj=merc +a=6378137 +b=6378137 +lon_0=0 +units=m", "merc-ts": "+proj=merc +lat_ts=-41 +lon_0=100 +datum=WGS84", "merc-k": "+proj=merc +k=0.997 +lon_0=110 +x_0=3900000 +y_0=900000 +ellps=bessel",
    "webmerc": "+proj=webmerc +datum=WGS84", "stere-north": "+proj=stere +lat_0=90 +lat_ts=70 +lon_0=-45 +ellps=WGS84", "stere-sphere": "+proj=stere +lat_0=90 +lat_ts=60 +lon_0=-105 +R=6371229",
    "stere-south": "+proj=stere +lat_0=-90 +lat_ts=-71 +lon_0=0 +datum=WGS84", "stere-k": "+proj=stere +lat_0=90 +k=0.994 +lon_0=0 +x_0=2000000 +y_0=2000000 +datum=WGS84",
    "stere-oblique": "+proj=stere +lat_0=50 +lon_0=10 +datum=WGS84", "sterea": "+proj=sterea +lat_0=52.15 +lon_0=5.38 +k=0.9999 +x_0=155000 +y_0=463000 +ellps=bessel",
    "ortho": "+proj=ortho +lat_0=30 +lon_0=-30 +R=6371000", "gnom": "+proj=gnom +lat_0=60 +lon_0=20 +R=6371000", "aeqd": "+proj=aeqd +lat_0=51 +lon_0=7 +datum=WGS84", "aeqd-north": "+proj=aeqd +lat_0=90 +lon_0=0 +datum=WGS84",
    "aeqd-sphere": "+proj=aeqd +lat_0=53 +lon_0=24 +R=6371000", "geos-0": "+proj=geos +h=35785831 +lon_0=0 +a=6378169 +b=6356583.8", "geos-goes16": "+proj=geos +h=35786023 +lon_0=-75 +sweep=x +ellps=GRS80",
    "geos-himawari": "+proj=geos +h=35785863 +lon_0=140.7 +a=6378137 +b=6356752.3", "geos-180": "+proj=geos +h=35785831 +lon_0=180 +datum=WGS84",
    "somerc": "+proj=somerc +lat_0=46.9524055555556 +lon_0=7.43958333333333 +k_0=1 +x_0=600000 +y_0=200000 +ellps=bessel", "omerc": "+proj=omerc +lat_0=4 +lonc=115 +alpha=53.3 +gamma=53.1 +k=0.99984 +ellps=evrstSS",
    "omerc-uv": "+proj=omerc +no_uoff +lat_0=57 +lonc=-133.7 +alpha=323.1 +k=0.9999 +x_0=5000000 +y_0=-5000000 +gamma=323.1 +datum=NAD83", "omerc-two": "+proj=omerc +lat_0=40 +lat_1=30 +lon_1=-100 +lat_2=50 +lon_2=-70 +datum=WGS84", "krovak": "+proj=krovak +ellps=bessel",
    "poly": "+proj=poly +lat_0=0 +lon_0=-54 +x_0=5000000 +y_0=10000000 +ellps=aust_SA", "bonne": "+proj=bonne +lat_1=45 +lon_0=0 +datum=WGS84", "cass": "+proj=cass +lat_0=31.7 +lon_0=35.2 +x_0=170251 +y_0=126867 +ellps=clrk80",
    "cass-ft": "+proj=cass +lat_0=10.4 +lon_0=-61.3 +x_0=86501 +ellps=clrk58 +to_meter=0.201166195164", "nzmg": "+proj=nzmg +lat_0=-41 +lon_0=173 +x_0=2510000 +y_0=6023150 +ellps=intl",
    "eqearth": "+proj=eqearth +lon_0=150 +datum=WGS84", "natearth": "+proj=natearth +lon_0=0 +R=6371000", "tpeqd": "+proj=tpeqd +lat_1=60 +lon_1=0 +lat_2=60 +lon_2=30 +R=6371000", "loxim": "+proj=loxim +lat_1=40 +lon_0=0 +R=6371000",
    "utm-km": "+proj=utm +zone=31 +datum=WGS84 +units=km", "laea-km": "+proj=laea +lat_0=90 +lon_0=0 +datum=WGS84 +units=km",
    "mars-longlat": "+proj=longlat +R=3396190", "mars-eqc": "+proj=eqc +lat_ts=0 +lon_0=180 +R=3396190", "moon-stere": "+proj=stere +lat_0=-90 +lon_0=0 +R=1737400", "venus": "+proj=longlat +R=6051800",
    "tmerc-paris": "+proj=tmerc +lat_0=46.8 +lon_0=1 +pm=paris +ellps=clrk80ign", "tmerc-airy": "+proj=tmerc +lat_0=49 +lon_0=-2 +k=0.9996012717 +x_0=400000 +y_0=-100000 +ellps=airy",
}

ESRI = {
    "esri-utm": 'PROJCS["NAD_1983_UTM_Zone_17N",GEOGCS["GCS_North_American_1983",DATUM["D_North_American_1983",SPHEROID["GRS_1980",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["False_Easting",500000.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",-81.0],PARAMETER["Scale_Factor",0.9996],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]',
    "esri-albers": 'PROJCS["USA_Contiguous_Albers_Equal_Area_Conic_USGS_version",GEOGCS["GCS_North_American_1983",DATUM["D_North_American_1983",SPHEROID["GRS_1980",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Albers"],PARAMETER["False_Easting",0.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",-96.0],PARAMETER["Standard_Parallel_1",29.5],PARAMETER["Standard_Parallel_2",45.5],PARAMETER["Latitude_Of_Origin",23.0],UNIT["Meter",1.0]]',
    "esri-webmerc": 'PROJCS["WGS_1984_Web_Mercator_Auxiliary_Sphere",GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Mercator_Auxiliary_Sphere"],PARAMETER["False_Easting",0.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",0.0],PARAMETER["Standard_Parallel_1",0.0],PARAMETER["Auxiliary_Sphere_Type",0.0],UNIT["Meter",1.0]]',
    "esri-stateplane-ft": 'PROJCS["NAD_1983_StatePlane_New_York_Long_Island_FIPS_3104_Feet",GEOGCS["GCS_North_American_1983",DATUM["D_North_American_1983",SPHEROID["GRS_1980",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Lambert_Conformal_Conic"],PARAMETER["False_Easting",984250.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",-74.0],PARAMETER["Standard_Parallel_1",40.66666666666666],PARAMETER["Standard_Parallel_2",41.03333333333333],PARAMETER["Latitude_Of_Origin",40.16666666666666],UNIT["Foot_US",0.3048006096012192]]',
    "esri-gcs": 'GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]',
    "esri-polar": 'PROJCS["WGS_1984_Stereographic_South_Pole",GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Stereographic_South_Pole"],PARAMETER["False_Easting",0.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",0.0],PARAMETER["Standard_Parallel_1",-71.0],UNIT["Meter",1.0]]',
}
NODATA = ["0", "255", "-1", "999", "1.5", "nan", "inf", "-inf", "1e400", "-1e400", "abc", "70000", "-9999", "-32768", "3.4e38", "-3.40282e+38",
          "-1.7976931348623157e+308", "1e-50", "0x10", "1,5", "--", "12abc", "NaN", "-nan", "+7", "1e2", "18446744073709551615", "9007199254740993"]


class Folder:
    def __init__(self, root):
        self.root, self.n, self.skipped = root, 0, []
        shutil.rmtree(os.path.join(root, "files"), ignore_errors=True)

    def path(self, kind, name):
        where = os.path.join(self.root, "files", kind)
        os.makedirs(where, exist_ok=True)
        return os.path.join(where, name + ".tif")

    def make(self, kind, name, crs=4326, transform=NORTH_UP, width=24, height=16, count=1, dtype="uint8", then=None, **options):
        """Writes one file; then works on it while it is open. What GDAL refuses to write is skipped and said so."""
        path = self.path(kind, name)
        if transform is not None:
            options["transform"] = transform
        try:
            with rasterio.open(path, "w", driver="GTiff", width=width, height=height, count=count, dtype=dtype,
                               crs=as_crs(crs), **options) as dst:
                if then:
                    then(dst)
            self.n += 1
            return path
        except Exception as e:
            if os.path.exists(path):
                os.remove(path)
            self.skipped.append(f"{kind}/{name}: {e}")
            return None


def as_crs(crs):
    if crs is None or isinstance(crs, rasterio.crs.CRS):
        return crs
    if isinstance(crs, int):
        return rasterio.crs.CRS.from_epsg(crs)
    if crs.startswith("+"):
        return rasterio.crs.CRS.from_string(crs)
    return rasterio.crs.CRS.from_user_input(crs)


def grid_for(crs, width, height, share=0.3):
    """A north-up grid about the middle of a CRS's area of use, or of its projection."""
    area = crs.area_of_use
    w, s, e, n = area.bounds if area else (-20, -10, 30, 40)
    if e < w:
        e += 360
    lon, lat = (w + e) / 2 + rng.uniform(-.1, .1) * (e - w), (s + n) / 2 + rng.uniform(-.1, .1) * (n - s)
    size = max(0.02, min(share * (n - s), 20))
    if not area:
        lon, lat = middle(crs)
    there = pyproj.Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True)
    x, y = there.transform(lon, lat)
    x2, y2 = there.transform(lon, lat - size if lat > 0 else lat + size)
    step = math.hypot(x2 - x, y2 - y) / height
    if not (math.isfinite(x) and math.isfinite(step) and step > 0):
        raise ValueError(f"no grid about {lon} {lat}")
    return Affine(step, 0, x - step * width / 2, 0, -step, y + step * height / 2)


def middle(crs):
    values = {p["name"].lower(): p["value"] for p in crs.to_json_dict().get("conversion", {}).get("parameters", [])}
    lon = next((v for k, v in values.items() if "longitude" in k and isinstance(v, (int, float))), 10)
    lat = next((v for k, v in values.items() if "latitude" in k and isinstance(v, (int, float))), 20)
    return lon + rng.uniform(-2, 2), max(-80, min(80, lat + rng.uniform(-2, 2)))


def named(f):
    for code in dict.fromkeys(NAMED):
        authority = "ESRI" if 50000 < int(code) < 60000 or int(code) > 100000 else "EPSG"
        try:
            crs = pyproj.CRS.from_authority(authority, int(code))
            t = grid_for(crs, 40, 30)
        except Exception as e:
            f.skipped.append(f"named/{code}: {e}")
            continue
        f.make("named", f"{authority.lower()}-{code}", f"{authority}:{code}", t, 40, 30, dtype=rng.choice(["uint8", "int16", "float32"]))


def defined(f):
    for name, text in {**DEFINED, **ESRI}.items():
        try:
            crs = pyproj.CRS.from_user_input(text)
            t = grid_for(crs, 40, 30)
        except Exception as e:
            f.skipped.append(f"defined/{name}: {e}")
            continue
        for keys, options in (("", {}), ("-esripe", {"GEOTIFF_KEYS_FLAVOR": "ESRI_PE"}), ("-v11", {"GEOTIFF_VERSION": "1.1"})):
            if keys and rng.random() < 0.6:
                continue
            f.make("defined", name + keys, text, t, 40, 30, **options)


def grids(f):
    g = lambda name, *a, **k: f.make("grids", name, *a, **k)
    g("global", 4326, Affine(10, 0, -180, 0, -10, 90), 36, 18)
    g("global-360", 4326, Affine(10, 0, 0, 0, -10, 90), 36, 18)
    g("global-centred", 4326, Affine(10, 0, -185, 0, -10, 95), 36, 19)
    g("global-point", 4326, Affine(10, 0, -185, 0, -10, 95), 36, 19, then=lambda d: d.update_tags(AREA_OR_POINT="Point"))
    g("global-south-up", 4326, Affine(10, 0, -180, 0, 10, -90), 36, 18)
    g("global-more", 4326, Affine(10, 0, -190, 0, -10, 90), 38, 18)
    g("global-two-turns", 4326, Affine(20, 0, -360, 0, -10, 90), 36, 18)
    g("over-antimeridian", 4326, Affine(0.5, 0, 175, 0, -0.5, -10), 20, 20)
    g("over-antimeridian-west", 4326, Affine(0.5, 0, -185, 0, -0.5, 10), 20, 20)
    g("all-beyond", 4326, Affine(0.5, 0, 190, 0, -0.5, 10), 20, 20)
    g("all-beyond-far", 4326, Affine(0.5, 0, 550, 0, -0.5, 10), 20, 20)
    g("to-antimeridian", 4326, Affine(0.5, 0, 170, 0, -0.5, 10), 20, 20)
    g("from-antimeridian", 4326, Affine(0.5, 0, 180, 0, -0.5, 10), 20, 20)
    g("from-minus-180", 4326, Affine(0.5, 0, -180, 0, -0.5, 10), 20, 20)
    g("almost-global", 4326, Affine(9.9999, 0, -180, 0, -10, 90), 36, 18)
    g("half-360", 4326, Affine(10, 0, 90, 0, -10, 40), 18, 8)
    g("beyond-pole", 4326, Affine(1, 0, 0, 0, -1, 92), 20, 20)
    g("far-beyond-pole", 4326, Affine(1, 0, 0, 0, -1, 200), 20, 20)
    g("rotated", 4326, Affine(0.01, 0.004, 10, 0.003, -0.01, 50), 60, 40)
    g("rotated-90", 32633, Affine(0, 30, 500000, 30, 0, 5000000), 60, 40)
    g("rotated-utm", 32633, Affine.translation(500000, 5000000) * Affine.rotation(33) * Affine.scale(30, -30), 60, 40)
    g("south-up", 32733, Affine(30, 0, 500000, 0, 30, 7000000), 60, 40)
    g("mirrored", 32633, Affine(-30, 0, 500000, 0, -30, 5000000), 60, 40)
    g("square-pixels-not", 32633, Affine(30, 0, 500000, 0, -90, 5000000), 60, 40)
    g("utm-1-west", 32601, Affine(1000, 0, 200000, 0, -1000, 7000000), 60, 40)
    g("utm-60-east", 32660, Affine(1000, 0, 750000, 0, -1000, 7000000), 60, 40)
    g("utm-wide", 32633, Affine(10000, 0, -400000, 0, -10000, 6000000), 180, 60)
    g("utm-pole", 32633, Affine(1000, 0, 400000, 0, -1000, 10050000), 200, 100)
    g("utm-south-as-north", 32633, Affine(1000, 0, 500000, 0, -1000, -1000000), 20, 20)
    g("webmerc-global", 3857, Affine(20037508.342789244 / 16, 0, -20037508.342789244, 0, -20037508.342789244 / 16, 20037508.342789244), 32, 32)
    g("webmerc-over", 3857, Affine(100000, 0, 19000000, 0, -100000, 1000000), 20, 20)
    g("pdc-mercator", 3832, Affine(100000, 0, 2000000, 0, -100000, 1000000), 30, 20)
    for code in 3031, 3413, 3995, 3976, 32661, 32761, 3571, 3408, 3409, 6931, 6932, 5041:
        x0 = 2000000 if code in (32661, 32761, 5041) else 0
        g(f"pole-in-{code}", code, Affine(100000, 0, x0 - 2500000, 0, -100000, x0 + 2000000), 50, 40)
        g(f"pole-at-corner-{code}", code, Affine(50000, 0, x0, 0, -50000, x0), 20, 20)
        g(f"pole-at-edge-{code}", code, Affine(50000, 0, x0 - 500000, 0, -50000, x0), 20, 20)
        g(f"pole-near-{code}", code, Affine(50000, 0, x0 + 100000, 0, -50000, x0 + 500000), 20, 20)
        g(f"over-180-{code}", code, Affine(50000, 0, x0 - 2000000, 0, -50000, x0 + 2500000), 20, 20)
    for code, half in ((6933, 17367530), (3410, 17334193), (8857, 17243959), (54009, 18040096), (54030, 17005833), (54008, 20015110), (54012, 16921203)):
        crs = f"{'ESRI' if code > 50000 else 'EPSG'}:{code}"
        g(f"world-{code}", crs, Affine(half / 30, 0, -half, 0, -half / 30, half / 2), 60, 30)
        g(f"east-{code}", crs, Affine(half / 60, 0, half * 0.7, 0, -half / 60, half * 0.1), 30, 30)
    tile = 1111950.5196666666
    for h, v in ((0, 8), (18, 4), (35, 9), (11, 0), (17, 17), (0, 0)):
        g(f"modis-h{h:02}v{v:02}", DEFINED["sinu"], Affine(tile / 24, 0, -20015109.354 + h * tile, 0, -tile / 24, 10007554.677 - v * tile), 24, 24)
    for name in "geos-0", "geos-goes16", "geos-himawari", "geos-180":
        half = 5568748
        g(f"disk-{name}", DEFINED[name], Affine(half / 32, 0, -half, 0, -half / 32, half), 64, 64)
        g(f"disk-part-{name}", DEFINED[name], Affine(half / 64, 0, -half / 8, 0, -half / 64, half / 2), 32, 32)
        g(f"disk-limb-{name}", DEFINED[name], Affine(half / 64, 0, half / 2, 0, -half / 64, half * 0.9), 32, 32)
    g("identity", 4326, Affine.identity(), 10, 10)
    g("pixels-down", 3857, Affine(1, 0, 0, 0, -1, 0), 10, 10)
    g("one-pixel", 4326, Affine(1, 0, 10, 0, -1, 50), 1, 1)
    g("one-row", 4326, Affine(0.01, 0, 10, 0, -0.01, 50), 1000, 1)
    g("one-column", 32633, Affine(30, 0, 500000, 0, -30, 5000000), 1, 1000)
    g("tiny-pixels", 4326, Affine(1e-8, 0, 10, 0, -1e-8, 50), 20, 20)
    g("huge", 32633, Affine(1, 0, 400000, 0, -1, 5100000), 100000, 90000, SPARSE_OK=True, tiled=True, BIGTIFF="YES")
    g("no-crs", None, Affine(1, 0, 10, 0, -1, 50))
    g("no-transform", 4326, None)
    points = lambda crs, xy, n=5: [GroundControlPoint(r * 100 / n, c * 100 / n, *xy(c * 100 / n, r * 100 / n), 0) for r in range(n + 1) for c in range(n + 1)]
    with_gcps = lambda name, crs, gcps, **k: gcp_file(f, name, crs, gcps, **k)
    with_gcps("gcps-geographic", 4326, points(4326, lambda c, r: (10 + c / 50 + r / 200, 50 - r / 60 + c / 300)))
    with_gcps("gcps-utm", 32633, points(32633, lambda c, r: (400000 + 30 * c + 5 * r, 5000000 - 30 * r)))
    with_gcps("gcps-antimeridian", 4326, points(4326, lambda c, r: (179 + c / 50, -10 - r / 60)))
    with_gcps("gcps-antimeridian-cut", 4326, points(4326, lambda c, r: ((179 + c / 50 + 180) % 360 - 180, -10 - r / 60)))
    with_gcps("gcps-four", 4326, points(4326, lambda c, r: (10 + c / 50, 50 - r / 60), 1))
    with_gcps("gcps-three", 4326, points(4326, lambda c, r: (10 + c / 50, 50 - r / 60), 1)[:3])
    with_gcps("gcps-two", 4326, points(4326, lambda c, r: (10 + c / 50, 50 - r / 60), 1)[1:3])
    with_gcps("gcps-polar", 3995, points(3995, lambda c, r: (-2000000 + 40000 * c, 2000000 - 40000 * r)))
    with_gcps("gcps-no-crs", None, points(4326, lambda c, r: (10 + c / 50, 50 - r / 60)))
    rpc = RPC(height_off=100, height_scale=50, lat_off=46, lat_scale=0.1, line_off=50, line_scale=50, long_off=7, long_scale=0.1, samp_off=50, samp_scale=50,
              line_num_coeff=[0, 0, -1] + [0] * 17, line_den_coeff=[1] + [0] * 19, samp_num_coeff=[0, 1] + [0] * 18, samp_den_coeff=[1] + [0] * 19, err_bias=0, err_rand=0)
    g("rpc", None, None, 100, 100, rpcs=rpc)
    g("rpc-and-transform", 4326, NORTH_UP, 100, 100, rpcs=rpc)


def gcp_file(f, name, crs, gcps, **options):
    path = f.path("grids", name)
    with rasterio.open(path, "w", driver="GTiff", width=100, height=100, count=1, dtype="uint8", gcps=gcps, crs=as_crs(crs) or rasterio.crs.CRS(), **options):
        f.n += 1


def types(f):
    for dtype in "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64", "complex_int16", "complex64", "complex128":
        f.make("types", dtype, dtype=dtype, count=rng.choice([1, 3]))
        f.make("types", dtype + "-big-endian", dtype=dtype, ENDIANNESS="BIG")
        f.make("types", dtype + "-bigtiff", dtype=dtype, BIGTIFF="YES", ENDIANNESS=rng.choice(["BIG", "LITTLE"]))
        for text in rng.sample(NODATA, 9):
            nodata_file(f, dtype, text)
    for bits in 1, 2, 4, 7, 12:
        f.make("types", f"nbits-{bits}", dtype="uint8" if bits <= 8 else "uint16", NBITS=bits)
    f.make("types", "float16", dtype="float32", NBITS=16)


def nodata_file(f, dtype, text):
    """A file whose GDAL_NODATA holds the text, which GDAL itself might refuse to write: a number of its length is written over."""
    name = "".join(c if c.isalnum() else f"x{ord(c):x}" for c in text)
    stand_in = next((n for n in ("7" * len(text), "1" * len(text)) if len(n) <= 15), None)
    if stand_in is None or len(text) > (2 if dtype in ("uint8", "int8") else 4):
        # A description keeps room for any text: the tag's value is moved there.
        stand_in = None
    path = f.make("nodata", f"{dtype}-{name}", dtype=dtype, nodata=1, count=rng.choice([1, 2]),
                  then=lambda d: d.update_tags(TIFFTAG_DOCUMENTNAME="\u0001" * 3 + "N" * 40))
    if not path:
        return
    data = bytearray(open(path, "rb").read())
    room = data.find(b"N" * 40)
    order = "little"
    at = int.from_bytes(data[4:8], order)
    for i in range(int.from_bytes(data[at:at + 2], order)):
        e = at + 2 + 12 * i
        if int.from_bytes(data[e:e + 2], order) == 42113:
            value = text.encode() + b"\0"
            data[e + 4:e + 8] = len(value).to_bytes(4, order)
            if len(value) <= 4:
                data[e + 8:e + 12] = value.ljust(4, b"\0")
            else:
                data[room:room + len(value)] = value
                data[e + 8:e + 12] = room.to_bytes(4, order)
    open(path, "wb").write(data)


def layouts(f):
    m = lambda name, **k: f.make("layouts", name, **k)
    for compress in "deflate", "lzw", "packbits", "zstd", "lerc", "lzma", "lerc_deflate", "webp", "jpeg":
        count = 3 if compress in ("webp", "jpeg") else 1
        m(f"strip-{compress}", compress=compress, width=300, height=200, count=count)
        m(f"tiled-{compress}", compress=compress, tiled=True, blockxsize=64, blockysize=32, width=300, height=200, count=count)
    m("ycbcr", compress="jpeg", photometric="ycbcr", count=3, width=300, height=200)
    m("ccitt", compress="CCITTFAX4", NBITS=1, width=300, height=200)
    for interleave in "band", "pixel":
        m(f"{interleave}", interleave=interleave, count=5, tiled=True, blockxsize=128, blockysize=128, width=300, height=200)
    m("many-bands", count=300)
    m("rows-7", blockysize=7, width=300, height=200)
    m("sparse", SPARSE_OK=True, width=3000, height=2000, tiled=True)
    m("alpha", count=4, photometric="rgb", ALPHA="YES")
    m("rgb", count=3, photometric="rgb")
    m("cmyk", count=4, photometric="cmyk")
    m("min-is-white", photometric="miniswhite")
    m("unspecified-alpha", count=2, ALPHA="UNSPECIFIED")
    m("palette", photometric="palette", then=lambda d: d.write_colormap(1, {i: (i, 255 - i, 0, 255) for i in range(256)}))
    m("palette-alpha", then=lambda d: d.write_colormap(1, {0: (0, 0, 0, 0), 1: (255, 0, 0, 255)}))

    def interp(d):
        d.colorinterp = [ColorInterp.blue, ColorInterp.green, ColorInterp.red, ColorInterp.undefined]
    m("colours", count=4, then=interp)
    pixels = np.random.default_rng(4).integers(0, 200, (3, 700, 900), dtype="uint8")

    def fill(d):
        d.write(pixels[:d.count, :d.height, :d.width].astype(d.dtypes[0]))
    for name, options in {"overviews": {}, "overviews-tiled": {"tiled": True}, "overviews-bigtiff": {"BIGTIFF": "YES"}}.items():
        path = m(name, width=900, height=700, then=fill, **options)
        with rasterio.open(path, "r+") as d:
            d.build_overviews([2, 4, 8])
    for name, env in {"mask": "YES", "mask-beside": "NO"}.items():
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=env):
            m(name, width=300, height=200, then=lambda d: (fill(d), d.write_mask(pixels[0, :200, :300] > 9)))
    path = m("mask-overviews", width=900, height=700, tiled=True, then=fill)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK="YES"), rasterio.open(path, "r+") as d:
        d.write_mask(pixels[0] > 9)
        d.build_overviews([2, 4])
    path = m("overviews-beside", width=900, height=700, then=fill)
    with rasterio.Env(TIFF_USE_OVR=True), rasterio.open(path, "r+") as d:
        d.build_overviews([2, 4])
    source = m("cog-source", width=900, height=700, count=3, photometric="rgb", tiled=True, then=fill)
    cogs = {"cog": {}, "cog-128": {"BLOCKSIZE": 128}, "cog-none": {"OVERVIEWS": "NONE"}, "cog-jpeg": {"COMPRESS": "JPEG"}, "cog-big": {"BIGTIFF": "YES"},
            "cog-webmerc": {"TILING_SCHEME": "GoogleMapsCompatible"}, "cog-alpha": {"ADD_ALPHA": "YES", "TILING_SCHEME": "GoogleMapsCompatible"}, "cog-stats": {"STATISTICS": "YES"},
            "cog-planar": {"INTERLEAVE": "BAND"}, "cog-lerc": {"COMPRESS": "LERC"}}
    for name, options in cogs.items():
        rio_copy(source, f.path("layouts", name), driver="COG", **options)
        f.n += 1
    small = m("small-source", width=100, height=80, then=fill)
    rio_copy(small, f.path("layouts", "cog-small"), driver="COG")
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK="YES"):
        masked = m("mask-source", width=900, height=700, tiled=True, then=lambda d: (fill(d), d.write_mask(pixels[0] > 9)))
        rio_copy(masked, f.path("layouts", "cog-mask"), driver="COG")
    f.n += 2
    for name, edit in {"cog-edited-tag": lambda d: d.update_tags(EDITED="yes" * 100), "cog-edited-pixels": fill, "cog-edited-nodata": lambda d: setattr(d, "nodata", 7)}.items():
        path = f.path("layouts", name)
        shutil.copy(f.path("layouts", "cog"), path)
        try:
            with rasterio.open(path, "r+", IGNORE_COG_LAYOUT_BREAK="YES") as d:
                edit(d)
            f.n += 1
        except Exception as e:
            os.remove(path)
            f.skipped.append(f"layouts/{name}: {e}")
    rio_copy(source, f.path("layouts", "copied-overviews"), driver="GTiff", COPY_SRC_OVERVIEWS="YES", TILED="YES", COMPRESS="LZW")
    for name, cut in {"truncated-pixels": 0.6, "truncated-much": 0.02}.items():
        data = open(f.path("layouts", "cog"), "rb").read()
        open(f.path("layouts", name), "wb").write(data[:int(len(data) * cut)])
    data = open(f.path("layouts", "overviews"), "rb").read()
    open(f.path("layouts", "truncated-ifd"), "wb").write(data[:-200])
    open(f.path("layouts", "empty"), "wb").close()
    open(f.path("layouts", "no-tiff"), "wb").write(b"\x89PNG\r\n\x1a\n" + bytes(100))
    f.n += 6


def metadata(f):
    def bands(d):
        d.descriptions = ("red edge", "Grün & <blau>", None)
        d.units = ("m", "", "W/(m² sr µm)")
        d.scales, d.offsets = (0.0001, 1, 2.5e-7), (-0.1, 0, 273.15)
    f.make("metadata", "bands", count=3, dtype="int16", then=bands)

    def tags(d):
        d.update_tags(NAME="värde", EMPTY="", LONG="x" * 20000, QUOTE='a "quoted" <tag> & more', TIFFTAG_SOFTWARE="a test", TIFFTAG_DATETIME="2021:02:03 04:05:06",
                      TIFFTAG_IMAGEDESCRIPTION="Ein Bild\nin zwei Zeilen", TIFFTAG_ARTIST="nobody", TIFFTAG_XRESOLUTION="72", TIFFTAG_YRESOLUTION="72")
        d.update_tags(ns="IMAGERY", ACQUISITIONDATETIME="2022-03-04T05:06:07Z", CLOUDCOVER="3.5", SATELLITEID="X1")
        d.update_tags(ns="CUSTOM", KEY="value")
        d.update_tags(1, BAND_TAG="one")
    f.make("metadata", "tags", then=tags)
    for name, stats in {
        "statistics": {"STATISTICS_MINIMUM": "0", "STATISTICS_MAXIMUM": "254.5", "STATISTICS_MEAN": "1.25e2", "STATISTICS_STDDEV": "12", "STATISTICS_VALID_PERCENT": "99.98"},
        "statistics-approximate": {"STATISTICS_APPROXIMATE": "YES", "STATISTICS_MINIMUM": "1", "STATISTICS_MAXIMUM": "2", "STATISTICS_MEAN": "1.5", "STATISTICS_STDDEV": "0.1"},
        "statistics-nan": {"STATISTICS_MINIMUM": "nan", "STATISTICS_MAXIMUM": "inf", "STATISTICS_MEAN": "abc", "STATISTICS_STDDEV": "-1"},
        "statistics-percent": {"STATISTICS_VALID_PERCENT": "120"},
    }.items():
        f.make("metadata", name, count=2, then=lambda d: d.update_tags(1, **stats))
    f.make("metadata", "geo-metadata", then=lambda d: d.update_tags(ns="xml:XMP", XMP="<x/>"), PROFILE="GDALGeoTIFF")
    f.make("metadata", "baseline", profile="BASELINE")
    f.make("metadata", "geotiff-profile", profile="GeoTIFF", nodata=3)
    for point in "Area", "Point":
        f.make("metadata", f"pixel-is-{point.lower()}", then=lambda d: d.update_tags(AREA_OR_POINT=point))
    f.make("metadata", "scale-zero", then=lambda d: setattr(d, "scales", (0.0,)))
    f.make("metadata", "scale-nan", then=lambda d: setattr(d, "offsets", (float("nan"),)))


def sidecars(f):
    world = lambda t: "\n".join(repr(v) for v in (t.a, t.d, t.b, t.e, t.c + t.a / 2, t.f + t.e / 2)) + "\n"
    prj = pyproj.CRS.from_epsg(32633).to_wkt("WKT1_ESRI")
    utm = Affine(30, 0, 500000, 0, -30, 5000000)
    # The files have no geotransform and no CRS of their own unless one is given.
    plain = lambda name, **k: f.make("sidecars", name, crs=k.pop("crs", None), transform=k.pop("transform", None), **k)

    def put(path, ending, text, encoding="utf-8"):
        open(os.path.splitext(path)[0] + ending if not ending.startswith(".tif.") else path[:-4] + ending, "w", encoding=encoding).write(text)
    for name, world_ending in {"tfw-prj": ".tfw", "wld-prj": ".wld", "tifw-prj": ".tifw", "upper-prj": ".TFW"}.items():
        path = plain(name)
        put(path, world_ending, world(utm))
        put(path, ".prj", prj)
    path = plain("tfw-only")
    put(path, ".tfw", world(utm))
    path = plain("prj-only")
    put(path, ".prj", prj)
    path = plain("prj-with-transform", transform=utm)
    put(path, ".prj", prj)
    path = plain("tfw-with-transform", crs=32633, transform=utm)
    put(path, ".tfw", world(Affine(10, 0, 400000, 0, -10, 4000000)))
    path = plain("tfw-crlf")
    put(path, ".tfw", world(utm).replace("\n", "\r\n"))
    put(path, ".prj", prj)
    path = plain("tfw-comma")
    put(path, ".tfw", world(utm).replace(".", ","))
    put(path, ".prj", prj)
    path = plain("prj-contradicts", crs=32632, transform=utm)
    put(path, ".prj", prj)
    pam = lambda *parts: "<PAMDataset>\n" + "\n".join(parts) + "\n</PAMDataset>\n"
    srs = f'<SRS dataAxisToSRSAxisMapping="1,2">{pyproj.CRS.from_epsg(32633).to_wkt("WKT1_GDAL").replace(chr(34), "&quot;")}</SRS>'
    geo = "<GeoTransform>500000, 30, 0, 5000000, 0, -30</GeoTransform>"
    band = ('<PAMRasterBand band="1"><Description>from beside</Description><NoDataValue>42</NoDataValue><UnitType>K</UnitType><Offset>1.5</Offset><Scale>0.5</Scale>'
            '<Metadata><MDI key="STATISTICS_MINIMUM">1</MDI><MDI key="STATISTICS_MAXIMUM">9</MDI><MDI key="STATISTICS_MEAN">5</MDI><MDI key="STATISTICS_STDDEV">2</MDI></Metadata></PAMRasterBand>')
    meta = '<Metadata><MDI key="PAM">yes</MDI></Metadata><Metadata domain="IMAGERY"><MDI key="ACQUISITIONDATETIME">2020-01-02T03:04:05Z</MDI></Metadata>'
    gcps = ('<GCPList Projection="EPSG:4326" dataAxisToSRSAxisMapping="2,1">' + "".join(
        f'<GCP Id="{i}" Pixel="{c}" Line="{r}" X="{10 + c / 10}" Y="{50 - r / 10}" Z="0"/>' for i, (c, r) in enumerate(((0, 0), (24, 0), (24, 16), (0, 16)))) + "</GCPList>")
    own = dict(crs=32632, transform=Affine(10, 0, 400000, 0, -10, 4000000))
    for name, parts, options in (
        ("pam-all", (srs, geo, meta, band), {}), ("pam-srs", (srs,), {"transform": utm}), ("pam-geo", (geo,), {"crs": 32633}),
        ("pam-overrides", (srs, geo), own), ("pam-bands", (band, meta), own), ("pam-bands-own", (band,), {**own, "nodata": 7}),
        ("pam-gcps", (gcps,), {}), ("pam-esri", ("<Esri/>", '<PAMRasterBand band="1"><Histograms/></PAMRasterBand>'), own),
    ):
        path = plain(name, **options)
        put(path, ".tif.aux.xml", pam(*parts))
    path = plain("pam-broken", **own)
    put(path, ".tif.aux.xml", "<PAMDataset><SRS>")
    path = plain("pam-and-tfw")
    put(path, ".tif.aux.xml", pam(srs, geo))
    put(path, ".tfw", world(Affine(10, 0, 400000, 0, -10, 4000000)))


def mixed(f, n):
    """Random kinds of everything at once."""
    codes = [c for c in NAMED if 2000 <= int(c) < 33000]
    for i in range(n):
        code = int(rng.choice(codes))
        dtype = rng.choice(["uint8", "uint16", "int16", "uint32", "int32", "float32", "float64"])
        try:
            t = grid_for(pyproj.CRS.from_epsg(code), 100, 80, rng.choice([0.001, 0.05, 0.5, 0.9]))
        except Exception:
            continue
        if rng.random() < 0.3:
            t = t * Affine.translation(50, 40) * Affine.rotation(rng.uniform(0, 360)) * Affine.translation(-50, -40)
        options = {"compress": rng.choice(["deflate", "lzw", "zstd"])} if rng.random() < 0.6 else {}
        if rng.random() < 0.5:
            options.update(tiled=True, blockxsize=rng.choice([16, 64, 256]), blockysize=rng.choice([16, 64, 256]))
        options.update(BIGTIFF=rng.choice(["YES", "NO"]), ENDIANNESS=rng.choice(["LITTLE", "BIG"]), interleave=rng.choice(["band", "pixel"]))
        if rng.random() < 0.5:
            options["nodata"] = rng.choice([0, 1, 99])
        if rng.random() < 0.3:
            options["GEOTIFF_VERSION"] = "1.1"
        count = rng.choice([1, 2, 3, 4, 13])

        def then(d):
            if rng.random() < 0.5:
                d.update_tags(AREA_OR_POINT=rng.choice(["Area", "Point"]))
            if rng.random() < 0.3:
                d.scales = [rng.choice([1, 0.1, 0.01])] * d.count
            if rng.random() < 0.3:
                d.descriptions = [f"band {b}" for b in d.indexes]
        f.make("mixed", f"{i:03}-{code}", code, t, rng.choice([100, 257, 600]), rng.choice([80, 256, 513]), count, dtype, then, **options)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("folder")
    args.add_argument("--truth-for", action="store_true", help="write the truth of the TIFFs that are in FOLDER")
    args.add_argument("--no-sidecars", action="store_true")
    args.add_argument("--seed", type=int, default=4)
    args.add_argument("--mixed", type=int, default=80, help="how many files of random kinds of everything")
    args = args.parse_args()
    rng.seed(args.seed)
    if not args.truth_for:
        f = Folder(args.folder)
        with rasterio.Env(OSR_USE_NON_DEPRECATED="NO"):
            for make in named, defined, grids, types, layouts, metadata, sidecars:
                make(f)
            mixed(f, args.mixed)
        for s in f.skipped:
            print("skipped", s, file=sys.stderr)
    print(f"{truth.write(args.folder, not args.no_sidecars)} files in {args.folder}")


if __name__ == "__main__":
    main()
