#pragma once

#include <string_view>

namespace onggi::tasks {

/// The style sheet of the shop front.
inline constexpr std::string_view kShopStyle = R"css(
:root { color-scheme: light dark; --paper: #fbf9f6; --panel: #ffffff; --ink: #1f1b16; --soft: #6a6258; --line: #e6dfd5;
  --main: #7a3b1d; --main-ink: #ffffff; --shade: 60 40 20; }
@media (prefers-color-scheme: dark) { :root { --paper: #151311; --panel: #1f1c19; --ink: #f3eee7; --soft: #b3a99c;
  --line: #37312b; --main: #e8b08c; --main-ink: #2a160a; --shade: 0 0 0; } }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 72px; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } * { transition: none !important; } }
body { margin: 0; background: var(--paper); color: var(--ink); word-break: keep-all; overflow-wrap: anywhere;
  font: 16px/1.6 "Apple SD Gothic Neo", "Noto Sans KR", "Noto Sans CJK KR", "Malgun Gothic", "NanumSquare",
  "NanumBarunGothic", "NanumGothic", system-ui, sans-serif; }
a { color: inherit; text-decoration: none; } img { display: block; width: 100%; height: auto; }
a:focus-visible, [tabindex]:focus-visible { outline: 3px solid var(--main); outline-offset: 3px; border-radius: 8px; }
.skip { position: absolute; left: -999px; } .skip:focus { left: 16px; top: 12px; z-index: 3; padding: 8px 14px;
  background: var(--main); color: var(--main-ink); border-radius: 8px; }
.wide { max-width: 1240px; margin: 0 auto; padding: 0 clamp(16px, 4vw, 40px); }
.bar { position: sticky; top: 0; z-index: 2; background: var(--paper); border-bottom: 1px solid var(--line); }
.bar .wide { display: flex; align-items: center; gap: 20px; min-height: 60px; }
.name { font: 800 22px/1 "Nanum Myeongjo", NanumMyeongjo, "Noto Serif CJK KR", Georgia, serif; letter-spacing: -0.01em;
  white-space: nowrap; padding: 8px 0; }
.bar nav { min-width: 0; flex: 1; } .topics { display: flex; gap: 6px; overflow-x: auto; scrollbar-width: none; margin: 0; padding: 6px 2px; list-style: none; }
.topics a { display: block; white-space: nowrap; padding: 6px 12px; border-radius: 999px; font-size: 14px; color: var(--soft); }
.topics a:hover { color: var(--ink); background: var(--panel); }
.hero { display: grid; grid-template-columns: 1fr; gap: 28px; align-items: center; padding-block: clamp(24px, 5vw, 64px); }
.hero .eyebrow { color: var(--main); font-weight: 700; font-size: 14px; margin: 0 0 10px; }
.hero h1 { font-size: clamp(30px, 5.2vw, 58px); line-height: 1.22; letter-spacing: -0.035em; margin: 0 0 16px; font-weight: 800; }
.hero h1 span { font-weight: 400; } .hero ul { margin: 0 0 24px; padding: 0; list-style: none; color: var(--soft); }
.button { display: inline-block; padding: 12px 22px; border-radius: 999px; background: var(--main); color: var(--main-ink);
  font-weight: 700; }
.stage { display: grid; grid-template-columns: 1.55fr 1fr; gap: clamp(10px, 1.6vw, 20px); }
.stage > :first-child { grid-row: span 2; align-self: center; }
@media (min-width: 860px) { .hero { grid-template-columns: 5fr 6fr; } }
.card { display: block; } .card .picture { display: block; border-radius: 16px; overflow: hidden; background: var(--panel);
  box-shadow: 0 1px 2px rgb(var(--shade) / .10), 0 8px 24px rgb(var(--shade) / .10); transition: transform .18s ease; }
.card:hover .picture { transform: translateY(-4px); }
.card b { display: block; margin: 10px 2px 0; font-size: 15px; line-height: 1.4; }
.card small { display: block; margin: 1px 2px 0; font-size: 13px; color: var(--soft); }
section { padding-block: 20px 12px; } .head { display: flex; align-items: baseline; gap: 12px; margin: 0 0 14px; }
h2 { font-size: clamp(21px, 2.4vw, 27px); letter-spacing: -0.03em; margin: 0; } .head span { color: var(--soft); font-size: 14px; }
.row { display: grid; grid-auto-flow: column; grid-auto-columns: clamp(168px, 21vw, 236px); gap: clamp(12px, 1.6vw, 20px);
  overflow-x: auto; scroll-snap-type: x proximity; margin: 0 calc(-1 * clamp(16px, 4vw, 40px)); list-style: none;
  padding: 6px clamp(16px, 4vw, 40px) 20px; scrollbar-width: thin; }
.row > li { scroll-snap-align: center; }
.all { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(150px, 42vw), 1fr)); gap: clamp(14px, 2vw, 24px);
  margin: 0; padding: 0; list-style: none; }
footer { border-top: 1px solid var(--line); margin-top: 40px; padding-block: 24px 48px; color: var(--soft); font-size: 14px; }
footer a { text-decoration: underline; }
)css";

}  // namespace onggi::tasks
