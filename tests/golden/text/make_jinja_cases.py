"""Writes jinja_cases.json: templates, variables and what Jinja2 itself prints, set up as transformers does it.

Run: pip install jinja2==3.1.6 && python make_jinja_cases.py
The templates are our own. A case whose "error" is true is one that Jinja2 refuses.
"""
import json
import os
from datetime import date

from jinja2.exceptions import TemplateError
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

DATE = "2024-07-26"


def environment():
    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    def raise_exception(message):
        raise TemplateError(message)

    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda f: date.fromisoformat(DATE).strftime(f)
    return env


CHAT = [{"role": "system", "content": " Be kind. "}, {"role": "user", "content": "  Hi \n"},
        {"role": "assistant", "content": "안녕\n하세요 "}, {"role": "user", "content": "<b>\"ok\"</b> \\ \t 끝"}]
TOOLS = [{"type": "function", "function": {"name": "get_weather", "description": "Weather & more: <now>", "parameters": {
    "type": "object", "properties": {"city": {"type": "string", "enum": ["서울", "부산"]}, "days": {"type": "integer", "default": 1.5}},
    "required": ["city"]}}}]
CALLS = [{"role": "user", "content": "Weather in Seoul?"},
         {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": {"name": "get_weather",
          "arguments": {"city": "서울", "days": 2, "exact": True, "unit": None, "ratio": 0.1}}}]},
         {"role": "tool", "content": "{\"temp\": 21}"}, {"role": "tool", "content": "sunny"},
         {"role": "assistant", "content": "<think>\nhm\n</think>\n\n21 degrees."}]

# Expressions: printed as {{ expression }}, with these variables.
VARS = {"n": 7, "f": 2.5, "s": "Hello World", "ko": "한국어 텍스트", "l": [3, 1, 2], "e": [], "d": {"b": 1, "a": [1, {"x": "y"}], "C": None},
        "t": True, "z": None, "pad": " \t x y\n ", "people": [{"name": "Bo", "age": 3, "ok": True}, {"name": "al", "age": 5}, {"name": "Cy", "age": 3, "ok": False}],
        "nested": {"p": {"q": [10, 20]}}, "quote": "it's \"q\"", "words": "a,b,,c"}
EXPRESSIONS = """
1 + 2 * 3 - 4 // 3|7 % 3|-7 % 3|-7 // 2|7 / 2|2 ** 3 ** 2|-2 ** 2|- 3 + 5|1.0|0.1 + 0.2|1e16|1e-5|123456789.125|1e22 * 10|10 / 5|7.5 // 2|-7.5 % 2|5 % -3|2 ** -1|1_000 + 1
n ~ s ~ f ~ t ~ z|'a' 'b' "c"|'x' * 3|3 * 'ab'|'tab\\tnew\\nquote\\'\\x41\\u00e9\\\\'|"d\\"q"
true and false or not none|1 if t else 2|1 if not t|'' or 'dflt'|0 and x.y|n and s|not e|not not l
1 < 2 < 3|1 < 3 < 2|n == 7 == 7.0|t == 1|'a' < 'b'|[1, 2] < [1, 3]|z == none|undefinedthing == z|'a' != 'b' and 1 != 1.0
2 in l|'World' in s|'b' in d|'q' not in d|5 not in l|'' in s|none in [none]|x in undefinedthing|'국' in ko
l[0]|l[-1]|l[9]|l[1:]|l[::-1]|l[:-1]|l[-2:]|l[5:]|l[::2]|s[0]|s[-3:]|s[::-1]|ko[1:3]|ko[-1]|ko[::-2]|d['b']|d.a[1].x|d['a'][1]['x']|nested.p.q[1]|nested['p'].q.0|s.nothing|z.nothing|n.nothing|l.nothing|d.nothing|undefinedthing|l['x']
s | upper|s | lower|ko | length|l | length|d | length|e | length|undefinedthing | length|s | title|'hello wORLD-foo (bar)' | title|'hELLO' | capitalize|pad | trim|'xxaxx' | trim('x')|'abc' | trim('')|l | join(', ')|l | join|people | join(', ', attribute='name')|[1, 'a', none, true, 2.0] | join('-')
l | first|l | last|e | first|s | first|ko | last|d | first|undefinedthing | default('dd')|z | default('dd')|z | default('dd', true)|'' | d('q', boolean=true)|undefinedthing | default
s | replace('o', '0')|s | replace('o', '0', 1)|'aaa' | replace('a', 'aa')|'abc' | replace('', '-')|n | replace('7', '8')
l | tojson|d | tojson|d | tojson(indent=2)|d | tojson(indent=4)|e | tojson(indent=2)|{} | tojson(indent=2)|quote | tojson|ko | tojson|ko | tojson(ensure_ascii=true)|'<&>' | tojson|d | tojson(sort_keys=true)|d | tojson(separators=(',', ':'))|'\\x01\\n\\x7f' | tojson|1.0 | tojson|1e100 | tojson|t | tojson|z | tojson|[1, [2, [3]]] | tojson(indent=1)|'😀' | tojson(ensure_ascii=true)
people | map(attribute='name') | list|people | map(attribute='ok', default='?') | list|l | map('string') | join('+')|['a', 'b'] | map('upper') | list|['a ', ' b'] | map('trim') | list|['ax', 'bx'] | map('replace', 'x', 'y') | join|people | map(attribute='name') | map('lower') | join(' ')
people | selectattr('ok') | map(attribute='name') | list|people | selectattr('ok', 'defined') | map(attribute='name') | list|people | selectattr('age', 'equalto', 3) | map(attribute='name') | list|people | rejectattr('ok') | map(attribute='name') | join|people | selectattr('age', '>', 3) | map(attribute='name') | join|[{'p': {'q': 1}}, {'p': {'q': 2}}] | selectattr('p.q', 'eq', 2) | list|l | select('odd') | list|l | reject('equalto', 1) | list|[0, 1, '', 'a', none] | select | list|[1, 'a', 2] | select('string') | list
l | min|l | max|[] | max|z | selectattr('a') | list|z | map('upper') | list|l | list|s | list | length|d | list|d | items | list|d | dictsort|d | dictsort(case_sensitive=true)|d.b | string ~ '!'|{'x': 2, 'y': 1} | dictsort(by='value')|{'x': 2, 'y': 1} | dictsort(reverse=true)
'42' | int|'4x' | int|'4x' | int(default=9)|4.9 | int|-4.9 | int|'4.7' | int|'2.5' | float|'x' | float|3 | float|n | string | length|z | string|t | string
"a\\nb\\n\\nc" | indent|"a\\nb\\n\\nc" | indent(2)|"a\\nb" | indent(2, true)|"a\\n\\nb" | indent(2, blank=true)|"a\\nb" | indent(width=1, first=true)|"a\\nb" | indent('> ')
l | sort|['b', 'A', 'c'] | sort|['b', 'A', 'c'] | sort(case_sensitive=true)|l | sort(reverse=true)|people | sort(attribute='age') | map(attribute='name') | list|[1, 2, 1, 'a', 'A'] | unique | list|l | reverse | list|s | reverse|-3 | abs|-2.5 | abs|s | safe|[] | sort
n is defined|undefinedthing is defined|undefinedthing is not defined|z is none|z is not none|s is string|l is string|d is mapping|l is mapping|l is iterable|s is iterable|n is iterable|d is sequence|n is number|f is number|t is number|s is number|t is boolean|n is integer|t is integer|f is float|t is true|1 is true|false is false|t is sameas true|n is sameas 7|n is equalto 7|n is eq 7|n is ne 8|n is gt 6|n is lt(6)|n is ge 7|2 is in l|n is odd|n is even|n is divisibleby 7|n is divisibleby(3)|'abc' is lower|'ABC' is upper|'A1' is upper|'1' is upper|undefinedthing is undefined|n is callable|not n is none|n is defined and s is string|undefinedthing is none|z is undefined
'  x '.strip()|pad.lstrip()|pad.rstrip()|'xyxa'.lstrip('xy')|'axyx'.rstrip('xy')|'..a..'.strip('.')|'한가한'.strip('한')|words.split(',')|words.split(',', 1)|' a  b '.split()|words.rsplit(',', 1)|'a\\nb\\r\\nc\\n'.splitlines()|s.startswith('Hell')|s.endswith('x')|s.startswith(('x', 'H'))|s.replace('l', 'L', 2)|s.upper()|s.lower()|"they're bill's".title()|'ab cd'.title()|'ABC def'.capitalize()|'a-b-c'.split('-')[-1]|'-'.join(['a', 'b'])|s.find('World')|ko.find('텍')|s.find('zz')|'banana'.count('an')|'12'.isdigit()|'ab'.isalpha()
'straße'.upper()|'ÀÉ'.lower()|'\\u3000x\\u00a0'.strip()|'x</think>y'.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n')
d.items() | list|d.keys() | list|d.values() | list|d.get('b')|d.get('nope')|d.get('nope', 5)|d.items() | length|l.count(1)|l.index(2)
range(3) | list|range(1, 4) | list|range(5, 0, -2) | list|range(0) | list|dict(a=1, b='x')|strftime_now('%d %b %Y')|strftime_now('%A %B %-d')|strftime_now('%Y-%m-%d')
l|d|[]|{}|[none, true, 1.5, 'a', "it's", 'q"', 'both \\'"']|(1, 'x')|[[1], [2]]|{'k': [1, {'z': none}]}|'\\n\\t\\\\' ~ ['\\n\\t\\\\']|['한', '\\x07']|[1,]
l + [4]|[1] + ['a']|s + '!'|n + f|t + t|'%' ~ 5
1, 2|(1, 2) | join|[1, 2,] | length|{'a': 1, 'b': 2,} | length|{'a': 1, 'a': 2}
-1 | abs|not n == 7|n in [7] and s|'a' if false else 'b' if true else 'c'|(n + 1) * 2|'a' ~ 1 + 2|2 * 3 ~ 'x'|n|string|l[n - 7]|people[0]['name'] ~ people[-1].name|people[1].get('ok', 'none')
""".strip()

ERRORS = ["undefinedthing.x", "undefinedthing['x']", "undefinedthing()", "undefinedthing + 'a'", "'a' + 1", "1 + none", "n()", "s | nosuchfilter", "n is nosuchtest",
          "1 < 'a'", "1 in 5", "1 // 0", "1 % 0", "1 / 0", "raise_exception('no')", "none + 'x'", "undefinedthing < 1", "[] | dictsort", "undefinedthing | tojson", "{'a': ", "(1", "'open",
          "1 +", "a b", "l[", "d.", "s.nomethod()", "z | length", "n | first", "undefinedthing.a.b", "'a' is divisibleby 2"]

TEMPLATES = [
    ("for", "{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.revindex }}{{ loop.revindex0 }}:{{ x }};{% endfor %}"),
    ("for_else", "{% for x in e %}{{ x }}{% else %}none{% endfor %}{% for x in undefinedthing %}{{ x }}{% else %}empty{% endfor %}"),
    ("for_if", "{% for x in [1,2,3,4] if x is even %}{{ loop.index }}={{ x }} {% endfor %}"),
    ("for_unpack", "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{% for (a, b) in [[1, 2], [3, 4]] %}{{ a + b }},{% endfor %}"),
    ("for_neighbours", "{% for x in l %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }}{% if loop.previtem is defined and loop.previtem > x %}!{% endif %}{{ loop.cycle('a', 'b') }} {% endfor %}"),
    ("break_continue", "{% for x in range(10) %}{% if x == 2 %}{% continue %}{% endif %}{% if x == 5 %}{% break %}{% endif %}{{ x }}{% endfor %}"),
    ("nested_break", "{% for x in [1,2] %}{% for y in [1,2,3] %}{% if y == 2 %}{% break %}{% endif %}{{ x }}{{ y }} {% endfor %}|{% endfor %}"),
    ("scope", "{% set a = 1 %}{% for x in l %}{% set a = a + x %}{{ a }} {% endfor %}{{ a }}"),
    ("scope_if", "{% if true %}{% set a = 5 %}{% endif %}{{ a }}"),
    ("namespace", "{% set ns = namespace(n=0, s='') %}{% for x in l %}{% set ns.n = ns.n + x %}{% set ns.s = ns.s ~ x %}{% endfor %}{{ ns.n }} {{ ns.s }} {{ ns.missing is defined }}"),
    ("set_block", "{% set a %}x{{ n }}\n y{% endset %}[{{ a }}]{{ a | length }}"),
    ("set_two", "{% set a, b = 1, 2 %}{{ b }}{{ a }}"),
    ("macro", "{% macro m(a, b=2, c='z') %}({{ a }}{{ b }}{{ c }}{{ n }}){% endmacro %}{{ m(1) }}{{ m(1, c=3) }}{{ m('x', 'y') ~ '!' }}{{ m() }}"),
    ("macro_recursive", "{% macro r(x) %}{% if x is mapping %}{{ '{' }}{% for k, v in x.items() %}{{ k }}:{{ r(v) }} {% endfor %}{{ '}' }}{% elif x is iterable and x is not string %}[{% for i in x %}{{ r(i) }}{% if not loop.last %},{% endif %}{% endfor %}]{% else %}{{ x }}{% endif %}{% endmacro %}{{ r(d) }}"),
    ("macro_scope", "{% set g = 1 %}{% macro m() %}{{ g }}{{ loopvar }}{% endmacro %}{% for loopvar in [1,2] %}{{ m() }}{% endfor %}{% set g = 2 %}{{ m() }}"),
    ("if_chain", "{% for x in [0,1,2,3] %}{% if x == 0 %}a{% elif x == 1 %}b{% elif x == 2 %}c{% else %}d{% endif %}{% endfor %}"),
    ("trim_blocks", "{% if true %}\nline\n{% endif %}\nend\n"),
    ("lstrip_blocks", "  {% if true %}\n    text\n  {% endif %}\n  {{ n }}\n   {# c #}\nx"),
    ("lstrip_not_alone", "a  {% if true %}b{% endif %}  {% if true %}c{% endif %}\n"),
    ("lstrip_after_output", "{{ n }}  {% if true %}x{% endif %}"),
    ("minus", "a  {%- if true -%}  b  {%- endif -%}  c {{- n -}} d  {#- x -#}  e"),
    ("plus", "  {%+ if true %}x{% endif +%}\ny"),
    ("minus_lines", "x\n\n  {{- n }}\n\n{{ n -}}\n\n y"),
    ("trailing_newline", "abc\n"), ("trailing_newlines", "abc\n\n"), ("empty", ""), ("newline", "\n"),
    ("crlf", "a\r\n{% if true %}\r\nb\r\n{% endif %}\r\nc\r\n"),
    ("raw", "{% raw %}{{ not }} {% if %}{% endraw %} {{ n }}{%- raw -%}  x  {%- endraw -%}  y"),
    ("comment", "a{# {{ n }} {% if %} #}b\n{# alone #}\nc"),
    ("braces", "{ {{ {'a': {'b': 1}}['a']['b'] }} } {{ '}}' }}{{ '%}' }} {x} %} }}"),
    ("tag_in_string", "{{ '{% if %}' }}{% set a = '%}' %}{{ a }}"),
    ("multi_line", "{{ [\n  1,\n  2\n] | join(\n ',' ) }}{%- if n == 7\n   and t %}y{% endif %}"),
    ("korean", "{% set 이름 = '온기' %}{{ 이름 }} 한글 {{ ko }}\n"),
    ("inline_if_undefined", "[{{ 'x' if false }}]"),
    ("loop_shadow", "{% for loop_item in [1] %}{% for x in [1,2] %}{{ loop.index }}{% endfor %}{{ loop.index }}{% endfor %}"),
    ("tuple_for", "{% for x in 1, 2, 3 %}{{ x }}{% endfor %}"),
    ("string_for", "{% for c in ko %}{{ c }}.{% endfor %}"),
    ("dict_for", "{% for k in d %}{{ k }}{% endfor %}"),
    ("filter_precedence", "{{ 'a' + 'b' | upper }} {{ ('a' + 'b') | upper }} {{ -5 | abs }} {{ 1 + [1,2] | length }}"),
    ("test_precedence", "{{ n is defined and n > 5 }} {{ not x is defined }} {{ 'a' in s or n is none }} {{ s is string == true }}"),
    ("set_namespace_dict", "{% set ns = namespace({'a': 1}) %}{% set ns.a = ns.a + 1 %}{{ ns.a }}"),
    ("unknown_statement", "{% include 'x' %}"), ("unclosed_if", "{% if true %}x"), ("unclosed_tag", "{{ n "), ("stray_endif", "{% endif %}"), ("unclosed_comment", "a {# b"),
    ("break_outside", "{% break %}"),
    ("set_attribute_of_dict", "{% set d.b = 2 %}"),
]

# Whole chat templates of our own in the manner of the published families.
CHAT_TEMPLATES = {
    "chatml_default_system": "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\nA helper.<|im_end|>\\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
    "qwen_tools": """{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0].role == 'system' %}
        {{- messages[0].content + '\\n\\n' }}
    {%- endif %}
    {{- "# Tools\\n<tools>" }}
    {%- for tool in tools %}
        {{- "\\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "\\n</tools><|im_end|>\\n" }}
{%- else %}
    {%- if messages[0].role == 'system' %}
        {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
    {%- endif %}
{%- endif %}
{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step_tool = false %}
        {%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- set content = message.content if message.content is string else '' %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) %}
        {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {%- set reasoning = '' %}
        {%- if '</think>' in content %}
            {%- set reasoning = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
            {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
        {%- endif %}
        {%- if loop.index0 > ns.last_query_index and (loop.last or reasoning) %}
            {{- '<|im_start|>' + message.role + '\\n<think>\\n' + reasoning.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}
        {%- else %}
            {{- '<|im_start|>' + message.role + '\\n' + content }}
        {%- endif %}
        {%- if message.tool_calls %}
            {%- for tool_call in message.tool_calls %}
                {%- if (loop.first and content) or (not loop.first) %}
                    {{- '\\n' }}
                {%- endif %}
                {%- if tool_call.function %}
                    {%- set tool_call = tool_call.function %}
                {%- endif %}
                {{- '<tool_call>\\n{"name": "' }}
                {{- tool_call.name }}
                {{- '", "arguments": ' }}
                {%- if tool_call.arguments is string %}
                    {{- tool_call.arguments }}
                {%- else %}
                    {{- tool_call.arguments | tojson }}
                {%- endif %}
                {{- '}\\n</tool_call>' }}
            {%- endfor %}
        {%- endif %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if loop.first or (messages[loop.index0 - 1].role != "tool") %}
            {{- '<|im_start|>user' }}
        {%- endif %}
        {{- '\\n<tool_response>\\n' }}
        {{- content }}
        {{- '\\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}
            {{- '<|im_end|>\\n' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}
""",
    "llama3_tools": """{{- bos_token }}
{%- if custom_tools is defined %}
    {%- set tools = custom_tools %}
{%- endif %}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set date_string = "01 Jan 2024" %}
    {%- endif %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if tools is not none %}
    {{- "Environment: ipython\\n" }}
{%- endif %}
{{- "Today Date: " + date_string + "\\n\\n" }}
{{- system_message }}
{{- "<|eot_id|>" }}
{%- if tools is not none %}
    {%- if messages | length != 0 %}
        {%- set first_user_message = messages[0]['content']|trim %}
        {%- set messages = messages[1:] %}
    {%- else %}
        {{- raise_exception("no first user message") }}
    {%- endif %}
    {{- '<|start_header_id|>user<|end_header_id|>\\n\\n' -}}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
    {{- first_user_message + "<|eot_id|>"}}
{%- endif %}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}
            {{- raise_exception("one tool call at a time") }}
        {%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}
        {{- '{"name": "' + tool_call.name + '", ' }}
        {{- '"parameters": ' }}
        {{- tool_call.arguments | tojson }}
        {{- "}" }}
        {{- "<|eot_id|>" }}
    {%- elif message.role == "tool" or message.role == "ipython" %}
        {{- "<|start_header_id|>ipython<|end_header_id|>\\n\\n" }}
        {%- if message.content is mapping or (message.content is iterable and message.content is not string) %}
            {{- message.content | tojson }}
        {%- else %}
            {{- message.content }}
        {%- endif %}
        {{- "<|eot_id|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
""",
    "gemma_like": """{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- set first_user_prefix = messages[0]['content'] + '\\n\\n' -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set first_user_prefix = "" -%}
    {%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception("roles must alternate") }}
    {%- endif -%}
    {%- if (message['role'] == 'assistant') -%}
        {%- set role = "model" -%}
    {%- else -%}
        {%- set role = message['role'] -%}
    {%- endif -%}
    {{ '<start_of_turn>' + role + '\\n' + (first_user_prefix if loop.first else "") }}
    {%- if message['content'] is string -%}
        {{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}
        {%- for item in message['content'] -%}
            {%- if item['type'] == 'image' -%}
                {{ '<start_of_image>' }}
            {%- elif item['type'] == 'text' -%}
                {{ item['text'] | trim }}
            {%- endif -%}
        {%- endfor -%}
    {%- else -%}
        {{ raise_exception("Invalid content type") }}
    {%- endif -%}
    {{ '<end_of_turn>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{'<start_of_turn>model\\n'}}
{%- endif -%}
""",
}
PARTS = [{"role": "user", "content": [{"type": "text", "text": " a "}, {"type": "image"}, {"type": "text", "text": "b "}]}]
CHATS = {"chat": CHAT, "calls": CALLS, "bad_roles": [CHAT[1], CHAT[1]], "parts": PARTS, "one": [CHAT[1]], "system_only": [CHAT[0]]}


def main():
    env = environment()
    cases = []

    def add(name, template, variables, shared=None):
        case = {"name": name, "chat_template": shared} if shared else {"name": name, "template": template}
        if variables is not VARS:
            case["variables"] = {k: v for k, v in variables.items() if k != "messages"}
            case["chat"] = next(k for k, v in CHATS.items() if v is variables["messages"])
        try:
            case["expected"] = env.from_string(template).render(**variables)
        except Exception:  # Jinja2 and Python raise many kinds; only that it refuses counts.
            case["error"] = True
        cases.append(case)

    for line in EXPRESSIONS.splitlines():
        # " | " is a filter, "|" without spaces parts expressions.
        for i, expression in enumerate(line.replace(" | ", "\0").split("|")):
            expression = expression.replace("\0", " | ")
            add("expression " + expression, "{{ " + expression + " }}", VARS)
    for expression in ERRORS:
        add("refused " + expression, "{{ " + expression + " }}", VARS)
    for name, template in TEMPLATES:
        add(name, template, VARS)
    for name, template in CHAT_TEMPLATES.items():
        for chat, messages in CHATS.items():
            for generation in (False, True):
                for tools in (None, TOOLS):
                    if tools is not None and "tools" not in name:
                        continue
                    variables = {"messages": messages, "tools": tools, "add_generation_prompt": generation, "bos_token": "<s>", "eos_token": "</s>"}
                    if generation and tools is None:
                        variables["enable_thinking"] = False
                    add(f"{name} {chat} {generation} {tools is not None}", template, variables, shared=name)
    out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "jinja_cases.json")
    with open(out, "w", encoding="utf-8") as f:
        json.dump({"date": DATE, "variables": VARS, "chats": CHATS, "chat_templates": CHAT_TEMPLATES, "cases": cases}, f,
                  ensure_ascii=False, indent=0)
        f.write("\n")
    print(len(cases), "cases,", sum("error" in c for c in cases), "refused")


if __name__ == "__main__":
    main()
