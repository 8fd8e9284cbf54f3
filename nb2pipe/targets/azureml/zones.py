"""The time zones of Windows, as Azure names them, for those of the time zone database."""

from __future__ import annotations

from typing import Final

_TABLE: Final = """\
UTC: UTC Etc/UTC Etc/GMT GMT Zulu Etc/Zulu Universal Etc/Universal
Hawaiian Standard Time: Pacific/Honolulu US/Hawaii
Alaskan Standard Time: America/Anchorage America/Juneau US/Alaska
Pacific Standard Time: America/Los_Angeles America/Vancouver US/Pacific
Pacific Standard Time (Mexico): America/Tijuana
US Mountain Standard Time: America/Phoenix US/Arizona
Mountain Standard Time: America/Denver America/Edmonton America/Boise US/Mountain
Central America Standard Time: America/Guatemala America/Costa_Rica America/El_Salvador
Central Standard Time: America/Chicago America/Winnipeg US/Central
Central Standard Time (Mexico): America/Mexico_City America/Monterrey
Canada Central Standard Time: America/Regina
SA Pacific Standard Time: America/Bogota America/Lima America/Panama America/Jamaica
Eastern Standard Time: America/New_York America/Toronto America/Detroit US/Eastern
US Eastern Standard Time: America/Indiana/Indianapolis America/Indianapolis
Atlantic Standard Time: America/Halifax Atlantic/Bermuda
Venezuela Standard Time: America/Caracas
SA Western Standard Time: America/La_Paz America/Puerto_Rico
Pacific SA Standard Time: America/Santiago
Newfoundland Standard Time: America/St_Johns
E. South America Standard Time: America/Sao_Paulo
Argentina Standard Time: America/Buenos_Aires America/Argentina/Buenos_Aires
Montevideo Standard Time: America/Montevideo
Azores Standard Time: Atlantic/Azores
GMT Standard Time: Europe/London Europe/Dublin Europe/Lisbon GB
Greenwich Standard Time: Atlantic/Reykjavik Africa/Abidjan Africa/Accra
Morocco Standard Time: Africa/Casablanca
W. Europe Standard Time: Europe/Berlin Europe/Amsterdam Europe/Rome Europe/Stockholm Europe/Vienna Europe/Zurich \
Europe/Oslo Europe/Luxembourg
Central Europe Standard Time: Europe/Budapest Europe/Belgrade Europe/Bratislava Europe/Ljubljana Europe/Prague
Romance Standard Time: Europe/Paris Europe/Brussels Europe/Copenhagen Europe/Madrid
Central European Standard Time: Europe/Warsaw Europe/Sarajevo Europe/Skopje Europe/Zagreb
W. Central Africa Standard Time: Africa/Lagos Africa/Algiers Africa/Tunis
GTB Standard Time: Europe/Bucharest Europe/Athens
Egypt Standard Time: Africa/Cairo
FLE Standard Time: Europe/Kiev Europe/Kyiv Europe/Helsinki Europe/Riga Europe/Sofia Europe/Tallinn Europe/Vilnius
South Africa Standard Time: Africa/Johannesburg
Israel Standard Time: Asia/Jerusalem Asia/Tel_Aviv
Arabic Standard Time: Asia/Baghdad
Arab Standard Time: Asia/Riyadh Asia/Kuwait Asia/Qatar
Turkey Standard Time: Europe/Istanbul
Russian Standard Time: Europe/Moscow
E. Africa Standard Time: Africa/Nairobi Africa/Addis_Ababa
Iran Standard Time: Asia/Tehran
Arabian Standard Time: Asia/Dubai Asia/Muscat
Georgian Standard Time: Asia/Tbilisi
Afghanistan Standard Time: Asia/Kabul
Pakistan Standard Time: Asia/Karachi
West Asia Standard Time: Asia/Tashkent
India Standard Time: Asia/Kolkata Asia/Calcutta
Sri Lanka Standard Time: Asia/Colombo
Nepal Standard Time: Asia/Kathmandu Asia/Katmandu
Bangladesh Standard Time: Asia/Dhaka
Myanmar Standard Time: Asia/Rangoon Asia/Yangon
SE Asia Standard Time: Asia/Bangkok Asia/Jakarta Asia/Ho_Chi_Minh Asia/Saigon
China Standard Time: Asia/Shanghai Asia/Hong_Kong Asia/Macau
Singapore Standard Time: Asia/Singapore Asia/Kuala_Lumpur Asia/Manila
W. Australia Standard Time: Australia/Perth
Taipei Standard Time: Asia/Taipei
Tokyo Standard Time: Asia/Tokyo Japan
Korea Standard Time: Asia/Seoul
Cen. Australia Standard Time: Australia/Adelaide
AUS Central Standard Time: Australia/Darwin
E. Australia Standard Time: Australia/Brisbane
AUS Eastern Standard Time: Australia/Sydney Australia/Melbourne Australia/Canberra
Tasmania Standard Time: Australia/Hobart
New Zealand Standard Time: Pacific/Auckland NZ
Fiji Standard Time: Pacific/Fiji
"""

WINDOWS: Final = {
    zone: name for name, _, zones in (line.partition(": ") for line in _TABLE.splitlines()) for zone in zones.split()
}
"""The name in Windows of a zone of the database; the zones that most people live in."""
