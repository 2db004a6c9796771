"""What the shop sells on its first day: data only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["CATEGORIES", "PRODUCTS", "NewProduct"]

CATEGORIES: Final[dict[str, str]] = {
    "drivetrain": "Drivetrain",
    "brakes": "Brakes",
    "wheels": "Wheels & tyres",
    "lights": "Lights",
    "bags": "Bags & racks",
    "tools": "Tools & care",
}


@dataclass(frozen=True, slots=True)
class NewProduct:
    """One article: ``price`` in euro cents, ``stock`` in pieces, ``weight`` in grams."""

    sku: str
    category: str
    name: str
    description: str
    price: int
    stock: int
    weight: int


PRODUCTS: Final[tuple[NewProduct, ...]] = (
    NewProduct("DRV-1011", "drivetrain", "Chain 11-speed, 118 links", "Nickel-plated outer plates and a quick link for tool-free fitting. For road and gravel groups from 2014 on.", 2990, 84, 257),
    NewProduct("DRV-1012", "drivetrain", "Chain 12-speed, 126 links", "Hollow pins and chamfered plates shift quietly under load. Comes with two quick links.", 4690, 52, 252),
    NewProduct("DRV-1130", "drivetrain", "Cassette 11-32, 11-speed", "Steel sprockets on an aluminium carrier; fits every 11-speed road freehub.", 5490, 31, 318),
    NewProduct("DRV-1142", "drivetrain", "Cassette 11-42, 11-speed", "Wide range for loaded touring and steep lanes. The largest sprocket is aluminium.", 7990, 18, 421),
    NewProduct("DRV-1205", "drivetrain", "Chainring 46 teeth, 110 BCD", "Machined from 7075 aluminium, with shifting ramps and an anti-drop pin.", 3850, 22, 98),
    NewProduct("DRV-1310", "drivetrain", "Bottom bracket BSA, sealed", "Cartridge bearings behind double lip seals; 68 mm shells, 24 mm axles.", 2690, 40, 92),
    NewProduct("DRV-1404", "drivetrain", "Jockey wheels, ceramic pair", "Eleven and thirteen teeth, hybrid bearings, stainless bolts included.", 4490, 15, 14),
    NewProduct("BRK-2001", "brakes", "Disc pads, organic, pair", "Bite from the first turn and stay quiet in the rain. Spring and split pin included.", 1490, 160, 21),
    NewProduct("BRK-2002", "brakes", "Disc pads, sintered, pair", "Twice the life of organic pads for heavy riders and winter commuting.", 1990, 120, 26),
    NewProduct("BRK-2110", "brakes", "Rotor 160 mm, centre lock", "Stainless track on a cooling aluminium spider; runs true out of the box.", 3290, 44, 118),
    NewProduct("BRK-2111", "brakes", "Rotor 180 mm, six bolt", "For the front wheel of loaded bikes and tandems. Bolts with threadlocker included.", 3490, 26, 146),
    NewProduct("BRK-2205", "brakes", "Rim pads, cartridge, set of 4", "Slide-in inserts with a groove wear mark; for aluminium rims.", 1890, 75, 68),
    NewProduct("BRK-2301", "brakes", "Mineral oil bleed kit", "Two syringes, funnel, hose clamps and 100 ml of oil. Printed guide in four languages.", 2790, 33, 310),
    NewProduct("WHL-3001", "wheels", "Tyre 700x32C, puncture belt", "Reflective sidewalls and a 3 mm rubber belt under the tread. Folds to fit a bottle cage.", 3690, 92, 410),
    NewProduct("WHL-3002", "wheels", "Tyre 700x45C, gravel, tubeless", "Low centre knobs roll fast on tarmac and hold on in wet limestone.", 4990, 61, 495),
    NewProduct("WHL-3003", "wheels", "Tyre 20x1.75, cargo", "Rated for 110 kg per wheel, with a double casing against kerbs.", 2890, 28, 560),
    NewProduct("WHL-3010", "wheels", "Inner tube 28/47-622, 40 mm valve", "Butyl, removable valve core. The one to keep in the saddlebag.", 690, 340, 148),
    NewProduct("WHL-3025", "wheels", "Tubeless sealant, 500 ml", "Natural latex with crushed walnut shell; closes holes up to 6 mm.", 2190, 48, 530),
    NewProduct("WHL-3050", "wheels", "Touring wheelset 36 spokes", "Hand-laced on sealed hubs, with brass nipples and eyeleted rims. Trued twice.", 28900, 9, 2240),
    NewProduct("WHL-3061", "wheels", "Hub dynamo, 32 holes, disc", "Six volts at walking pace, 0.9 W of drag when the lights are off.", 12900, 12, 390),
    NewProduct("LGT-4001", "lights", "Headlight 80 lux, dynamo", "Cut-off beam with a standlight that lasts four minutes at the lights.", 8900, 27, 105),
    NewProduct("LGT-4002", "lights", "Headlight 60 lux, USB-C", "Five hours at full power, fifteen on low. Clamps without tools.", 5490, 38, 132),
    NewProduct("LGT-4010", "lights", "Rear light, dynamo, rack mount", "Flat line of light over 220 degrees; bolts at 50 or 80 mm.", 2490, 45, 62),
    NewProduct("LGT-4011", "lights", "Rear light, USB-C, seatpost", "Brightens when you brake. Twelve hours from one charge.", 3290, 57, 34),
    NewProduct("LGT-4020", "lights", "Spoke reflectors, pack of 36", "Clip-on tubes that turn each wheel into a ring of light.", 890, 110, 24),
    NewProduct("BAG-5001", "bags", "Pannier pair, roll top, 40 l", "Welded seams, lockable hooks, and a carrying strap. Waterproof for half an hour under water.", 13900, 20, 1640),
    NewProduct("BAG-5002", "bags", "Handlebar bag, 7 l", "Opens towards the rider; map pocket on top, quick-release mount.", 7490, 25, 640),
    NewProduct("BAG-5003", "bags", "Saddlebag, waxed canvas, 1.2 l", "Room for a tube, levers and a multitool. Made in a two-person workshop in Bergen.", 4290, 16, 190),
    NewProduct("BAG-5010", "bags", "Rear rack, steel, 28 inch", "Carries 40 kg on 10 mm tubing. Powder-coated black, fittings included.", 6490, 19, 980),
    NewProduct("BAG-5020", "bags", "Front basket, oak and wire", "Oiled oak base, 32 x 26 cm, with leather straps for the handlebar.", 5990, 11, 1120),
    NewProduct("TLS-6001", "tools", "Multitool, 17 functions", "Hex 2 to 8, Torx 25, chain breaker and a tyre lever that bends no rim.", 2790, 66, 142),
    NewProduct("TLS-6002", "tools", "Torque wrench 2-24 Nm", "Calibrated, with a certificate, ten bits and a case. For carbon and light alloy.", 7900, 14, 720),
    NewProduct("TLS-6003", "tools", "Floor pump with gauge", "Steel barrel, ash handle, reads to 11 bar; locks on both valve types.", 4990, 23, 1850),
    NewProduct("TLS-6010", "tools", "Chain wear indicator", "Shows 0.5 and 0.75 % stretch; laser-cut steel, keyring hole.", 990, 130, 46),
    NewProduct("TLS-6020", "tools", "Chain lube, dry, 120 ml", "Wax in water: goes on wet, dries clean. One bottle lasts a season.", 1190, 96, 138),
    NewProduct("TLS-6030", "tools", "Repair stand, folding", "Holds 25 kg by the seatpost, folds to 1.1 m. Jaw lined with soft rubber.", 11900, 7, 5300),
)  # fmt: skip
