#pragma once

#include <string_view>

namespace onggi::eval {

/// The style sheet of every page that we write.
inline constexpr std::string_view kPageStyle = R"css(
:root { color-scheme: light dark; --ink: #1d2327; --soft: #5d6870; --line: #d9dfe3; --paper: #ffffff; --panel: #f5f7f8;
  --main: #0f766e; --other: #9aa7b0; --hit: #d4f1e3; --hit-ink: #0b5a3a; --miss: #ffe9c7; --miss-ink: #7a4a00;
  --extra: #fde0e0; --extra-ink: #8f1d1d; --heat: 15 118 110; --off: 194 65 12; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaed; --soft: #9fabb3; --line: #333c43; --paper: #14191d;
  --panel: #1d2429; --main: #2dd4bf; --other: #64727c; --hit: #123f2d; --hit-ink: #a7f0cd; --miss: #4a3408;
  --miss-ink: #ffdf9e; --extra: #4b1a1a; --extra-ink: #ffc4c4; --heat: 45 212 191; --off: 251 146 60; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1080px; padding: 24px 20px 64px; background: var(--paper); color: var(--ink);
  font: 15px/1.6 system-ui, -apple-system, "Apple SD Gothic Neo", "Noto Sans KR", "Noto Sans CJK KR", "Malgun Gothic",
  "NanumGothic", "NanumBarunGothic", sans-serif; word-break: keep-all; overflow-wrap: anywhere; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; } h2 { font-size: 19px; margin: 40px 0 4px; }
h3 { font-size: 15px; margin: 20px 0 6px; } p { margin: 4px 0 12px; } .soft { color: var(--soft); font-size: 13px; }
.facts { display: flex; flex-wrap: wrap; gap: 2px 20px; color: var(--soft); font-size: 13px; margin: 8px 0 0; }
.facts b { color: var(--ink); font-weight: 600; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 20px 0 0; }
.tile { background: var(--panel); border-radius: 10px; padding: 12px 14px; }
.tile b { display: block; font-size: 28px; line-height: 1.2; font-variant-numeric: tabular-nums; }
.bars { display: grid; grid-template-columns: minmax(70px, max-content) 1fr max-content; gap: 6px 12px; align-items: center;
  margin: 8px 0 16px; font-size: 14px; }
.bars svg { width: 100%; height: 18px; display: block; } .bars .value { font-variant-numeric: tabular-nums; }
.bars .range { color: var(--soft); font-size: 12px; }
.track { fill: var(--panel); } .bar { fill: var(--other); } .bar.main { fill: var(--main); }
.whisker { stroke: var(--ink); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
.plot { display: grid; grid-template-columns: max-content 1fr; gap: 0 8px; font-size: 12px; color: var(--soft); }
.plot svg { width: 100%; height: 240px; display: block; border-left: 1px solid var(--line); border-bottom: 1px solid var(--line); }
.ticks { display: flex; justify-content: space-between; } .ticks.y { flex-direction: column; text-align: right; }
.grid { stroke: var(--line); stroke-width: 1; vector-effect: non-scaling-stroke; }
.curve { fill: none; stroke-width: 2; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
.c0 { stroke: var(--main); background: var(--main); } .c1 { stroke: #c2410c; background: #c2410c; }
.c2 { stroke: #6d5bd0; background: #6d5bd0; } .c3 { stroke: #ca8a04; background: #ca8a04; }
.c4 { stroke: #2563eb; background: #2563eb; } .c5 { stroke: #be185d; background: #be185d; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 16px; font-size: 13px; margin: 4px 0 8px; } .legend i { display: inline-block; width: 14px; height: 3px;
  margin-right: 6px; vertical-align: middle; }
.scroll { overflow-x: auto; margin: 8px 0 16px; } table { border-collapse: collapse; font-size: 13px; }
table.wide { width: 100%; } th, td { padding: 5px 8px; text-align: right; border-bottom: 1px solid var(--line);
  font-variant-numeric: tabular-nums; white-space: nowrap; } th { color: var(--soft); font-weight: 600; }
th:first-child, td:first-child { text-align: left; } .heat td, .heat th { padding: 2px 4px; border: 1px solid var(--paper);
  text-align: center; font-size: 12px; min-width: 24px; } .heat thead th { writing-mode: vertical-rl; text-align: right;
  padding: 4px 0; } .heat tbody th { text-align: right; position: sticky; left: 0; background: var(--paper); }
.heat td { background: var(--panel); }
.example { border: 1px solid var(--line); border-radius: 10px; padding: 12px 14px; margin: 10px 0; }
.example .head { display: flex; flex-wrap: wrap; gap: 2px 12px; font-size: 13px; color: var(--soft); }
.example .head b { color: var(--ink); } .example p { margin: 6px 0 8px; }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: 8px 16px; } .sides h4 { margin: 0 0 4px; font-size: 12px;
  color: var(--soft); font-weight: 600; }
.chip { display: block; border-radius: 8px; padding: 4px 10px; margin: 0 0 4px; font-size: 14px; background: var(--panel); }
.chip small { opacity: .8; margin-left: 6px; white-space: nowrap; } .hit { background: var(--hit); color: var(--hit-ink); }
.miss { background: var(--miss); color: var(--miss-ink); } .extra { background: var(--extra); color: var(--extra-ink); }
code { font-size: 12px; overflow-wrap: anywhere; white-space: pre-wrap; } summary { cursor: pointer; color: var(--soft); margin: 8px 0; }
.products { columns: 320px; column-gap: 16px; } .product { break-inside: avoid; border: 1px solid var(--line); border-radius: 12px;
  padding: 14px 16px; margin: 0 0 16px; } .product h3 { margin: 0; } .product .soft { margin: 0 0 8px; }
.aspect { font-size: 12px; font-weight: 600; color: var(--main); margin: 10px 0 4px; }
.card { background: var(--panel); border-radius: 10px; padding: 8px 12px; margin: 0 0 6px; } .card b { font-weight: 700; }
@media (max-width: 560px) { body { padding: 16px 14px 48px; } .sides { grid-template-columns: 1fr; } h1 { font-size: 22px; }
  .bars { grid-template-columns: 1fr max-content; } .bars .label { grid-column: 1 / -1; margin-bottom: -4px; }
  .tiles { grid-template-columns: 1fr 1fr; } .tile b { font-size: 23px; } }
)css";

}  // namespace onggi::eval
