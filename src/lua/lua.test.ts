import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileLua, runLua } from './script.ts';
import { isFunction, LuaError, LuaLimitError, LuaTable, type LuaValue, textOf, toText } from './value.ts';

function show(value: LuaValue): string {
  if (value instanceof LuaTable) {
    const pairs: string[] = [];
    for (let pair = value.next(undefined); pair !== undefined; pair = value.next(pair[0]))
      pairs.push(`${show(pair[0])}=${show(pair[1])}`);
    return `{${pairs.join(',')}}`;
  }
  if (typeof value === 'string') return JSON.stringify(textOf(value));
  return isFunction(value) ? 'function' : toText(value);
}

function answer(source: string): string {
  let script: ReturnType<typeof compileLua>;
  try {
    script = compileLua(source);
  } catch (error) {
    assert.ok(error instanceof LuaError, String(error));
    return 'SYNTAX';
  }
  try {
    return runLua(script, { globals: {}, openLibraries: true, nowMs: 0 }).values.map(show).join('|');
  } catch (error) {
    assert.ok(error instanceof LuaError, String(error));
    return `ERR ${toText(error.value)}`;
  }
}

/** A chunk, and what gopher-lua 1.1 answers: Argo CD runs scripts with it. */
const rows: readonly (readonly [source: string, want: string])[] = [
  ['return 1', '1'],
  ['return 1.5', '1.5'],
  ['return 1e15', '1000000000000000'],
  ['return 1e300', '1e+300'],
  ['return 0.1', '0.1'],
  ['return 1/3', '0.3333333333333333'],
  ['return 123456789.5', '1.234567895e+08'],
  ['return 1e-7', '1e-07'],
  ['return 2^53', '9007199254740992'],
  ['return -0.0', '0'],
  ['return 10/2', '5'],
  ['return 7%3', '1'],
  ['return -7%3', '2'],
  ['return 7%-3', '-2'],
  ['return 5.5%2', '1.5'],
  ['return 1e6+0.5', '1.0000005e+06'],
  ['return 12345678.25', '1.234567825e+07'],
  ['return 1e20', '1e+20'],
  ['return 1e18', '1000000000000000000'],
  ['return 9e18', '9000000000000000000'],
  ['return 1e19', '1e+19'],
  ['return 0x10', '16'],
  ['return "10"+5', '15'],
  ['return "0x10"+1', '17'],
  ['return 10 .. 20', '"1020"'],
  ['return 1.5 .. "x"', '"1.5x"'],
  ['return "a".."b".."c"', '"abc"'],
  ['return #"abc"', '3'],
  ['return #{1,2,3}', '3'],
  ['local t={1,2,nil,4} return #t', '4'],
  ['local t={} t[1]=1 t[2]=2 t[2]=nil return #t', '1'],
  ['local t={1,2,3} t[2]=nil return #t', '3'],
  ['local t={n=1} return #t', '0'],
  ['local t={} t[3]=1 return #t', '3'],
  ['return 1<2, "a"<"b", "a"<"B", 2<=2, 1==1.0, "1"==1, nil==false', 'true|true|false|true|true|false|false'],
  ['return 1<"2"', 'ERR <string>:1: attempt to compare number with string'],
  ['return {}<{}', 'ERR <string>:1: attempt to compare table with table'],
  ['return nil<1', 'ERR <string>:1: attempt to compare nil with number'],
  ['return not nil, not 0, not ""', 'true|false|false'],
  ['return nil and 1, false or 2, 1 and 2, nil or false', 'nil|2|2|false'],
  ['return tostring(nil), tostring(true), tostring(1.0), tostring("x")', '"nil"|"true"|"1"|"x"'],
  [
    'return tonumber("10"), tonumber(" 12 "), tonumber("1e2"), tonumber("0x1F"), tonumber("abc"), tonumber(""), tonumber("10", 2), tonumber("ff", 16), tonumber("zz",36), tonumber("8",8), tonumber(nil)',
    '10|12|nil|31|nil|nil|2|255|1295|nil|nil',
  ],
  [
    'return tonumber("1 2"), tonumber("+5"), tonumber("-5"), tonumber(".5"), tonumber("5."), tonumber("1_000"), tonumber("inf"), tonumber("nan")',
    'nil|5|-5|0.5|5|nil|nil|nil',
  ],
  [
    'return type(nil), type(1), type("x"), type({}), type(print), type(true)',
    '"nil"|"number"|"string"|"table"|"function"|"boolean"',
  ],
  ['return select("#",1,2,nil), select(2,"a","b","c")', '3|"b"|"c"'],
  ['return select(-1,1,2,3)', '3'],
  ['return unpack({1,2,3})', '1|2|3'],
  ['return unpack({1,2,3},2)', '2|3'],
  ['return unpack({1,2,3},2,3)', '2|3'],
  ['return next({})', 'nil'],
  ['return next({10})', '1|10'],
  ['return next({a=1})', '"a"|1'],
  ['return rawget({a=1},"a"), rawequal(1,1)', '1|true'],
  ['return pcall(function() error("x") end)', 'false|"<string>:1: x"'],
  ['return pcall(function() error("x",0) end)', 'false|"x"'],
  ['return pcall(function() error({code=1}) end)', 'false|{"code"=1}'],
  ['return pcall(function() error() end)', 'false|"<string>:1: bad argument #1 to error (value expected)"'],
  ['return pcall(function() return 1,2 end)', 'true|1|2'],
  ['return xpcall(function() error("e") end, function(m) return "h:"..m end)', 'false|"h:<string>:1: e"'],
  ['return assert(1,2)', '1|2'],
  ['assert(false)', 'ERR <string>:1: assertion failed!'],
  ['assert(nil,"msg")', 'ERR <string>:1: msg'],
  ['assert(false, "m")', 'ERR <string>:1: m'],
  ['error("boom")', 'ERR <string>:1: boom'],
  ['error("boom",0)', 'ERR boom'],
  ['error()', 'ERR <string>:1: bad argument #1 to error (value expected)'],
  ['local x = nil; return x.y', "ERR <string>:1: attempt to index a non-table object(nil) with key 'y'"],
  ['local x = {}; return x.y.z', "ERR <string>:1: attempt to index a non-table object(nil) with key 'z'"],
  ['return obj.status', "ERR <string>:1: attempt to index a non-table object(nil) with key 'status'"],
  ['local x="s" return x.y', 'nil'],
  ['local x=1 return x.y', "ERR <string>:1: attempt to index a non-table object(number) with key 'y'"],
  ['local x={} x.y.z=1', "ERR <string>:1: attempt to index a non-table object(nil) with key 'z'"],
  ['x()', 'ERR <string>:1: attempt to call a non-function object'],
  ['local t={} t.f()', 'ERR <string>:1: attempt to call a non-function object'],
  ['local t={} t:f()', 'ERR <string>:1: attempt to call a non-function object'],
  ['return 1+nil', 'ERR <string>:1: cannot perform add operation between number and nil'],
  ['return {}+1', 'ERR <string>:1: cannot perform add operation between table and number'],
  ['return "a"+1', 'ERR <string>:1: cannot perform add operation between string and number'],
  ['return -"x"', 'ERR <string>:1: __unm undefined'],
  ['return -"2"', '-2'],
  ['return #nil', 'ERR <string>:1: __len undefined'],
  ['return #5', 'ERR <string>:1: __len undefined'],
  ['return nil.."x"', 'ERR <string>:1: cannot perform concat operation between nil and string'],
  ['return {}.."x"', 'ERR <string>:1: cannot perform concat operation between table and string'],
  ['return true..1', 'ERR <string>:1: cannot perform concat operation between boolean and number'],
  [
    'return string.sub("hello",2,4), string.sub("hello",-3), string.sub("hello",2), string.sub("hello",0), string.sub("hello",10), string.sub("hello",-100,2), string.sub("hello",3,2), string.sub("hello",1,-2)',
    '"ell"|"llo"|"ello"|"hello"|""|"he"|""|"hell"',
  ],
  [
    'return ("x"):rep(3), ("ab"):upper(), ("AB"):lower(), ("abc"):reverse(), ("abc"):len(), ("abc"):byte(1,-1)',
    '"xxx"|"AB"|"ab"|"cba"|3|97|98|99',
  ],
  ['return string.byte("A"), string.byte("abc",2), string.byte("",1), string.char(72,105)', '65|98|nil|"Hi"'],
  [
    'return string.find("hello world","wor"), string.find("hello","l"), string.find("hello","xyz"), string.find("a.b",".",1,true), string.find("hello","l",4), string.find("hello","")',
    '7|3|nil|2|4|1|0',
  ],
  ['return string.find("hello","(l)(l)")', '3|4|"l"|"l"'],
  [
    'return string.match("key=val","(%w+)=(%w+)"), string.match("2024-01-02","(%d+)-(%d+)-(%d+)")',
    '"key"|"2024"|"01"|"02"',
  ],
  [
    'return string.match("hello","^h"), string.match("hello","^e"), string.match("hello","o$"), string.match("  trim  ","^%s*(.-)%s*$")',
    '"h"|nil|"o"|"trim"',
  ],
  [
    'return string.match("hello",".-l"), string.match("hello",".*l"), string.match("aaa","a-"), string.match("abc","[b-c]+"), string.match("a]c","[]]"), string.match("a-b","[a%-]+"), string.match("abc","[^a]+")',
    '"hel"|"hell"|""|"bc"|"]"|"a-"|"bc"',
  ],
  ['return string.match("x(1(2)3)y","%b()")', '"(1(2)3)"'],
  ['return string.match("abc","()b()")', '2|3'],
  ['return string.match("THE (quick) fox","%((%a+)%)")', '"quick"'],
  [
    'return string.gsub("hello","l","L"), string.gsub("hello","l","L",1), string.gsub("abc","%w","%0%0"), string.gsub("abc","(a)(b)","%2%1"), string.gsub("abc","","-")',
    '"heLLo"|"heLlo"|"aabbcc"|"bac"|"-a-b-c-"|4',
  ],
  ['return string.gsub("hello world","%w+",function(w) return w:upper() end)', '"HELLO WORLD"|2'],
  ['return string.gsub("$a $b","%$(%w+)",{a="1"})', '"1 $b"|2'],
  ['return string.gsub("abc","b",function() return nil end)', '"abc"|1'],
  ['return string.gsub("abc","b","%%")', '"a%c"|1'],
  ['local r={} for w in string.gmatch("one two","%a+") do r[#r+1]=w end return r', '{1="one",2="two"}'],
  ['local r={} for k,v in string.gmatch("a=1,b=2","(%w+)=(%w+)") do r[k]=v end return r', '{"a"="1","b"="2"}'],
  ['return string.format("%d %s %5.2f %x %q %%","12","a",3.14159,255,"q")', '"12 a  3.14 ff \\"q\\" %"'],
  ['return string.format("%5d|%-5d|%05d|%+d",42,42,42,42)', '"   42|42   |00042|+42"'],
  ['return string.format("%s %s %s",nil,true,{}~=nil)', '"nil true true"'],
  [
    'return string.format("%d",3.7), string.format("%s",1.5), string.format("%s",10), string.format("%g",1e20), string.format("%g",0.1), string.format("%e",12345.678), string.format("%.3s","abcdef"), string.format("%10s|%-10s|","r","l"), string.format("%c",65), string.format("%o",8), string.format("%X",255), string.format("%i",5)',
    '"3"|"1.5"|"10"|"1e+20"|"0.1"|"1.234568e+04"|"abc"|"         r|l         |"|"A"|"10"|"FF"|"5"',
  ],
  ['return string.format("%s")', '"%!s(MISSING)"'],
  ['return string.format("(%d/%d)",1,2)', '"(1/2)"'],
  ['return string.format("%.2f%%",99.5)', '"99.50%"'],
  ['return string.format("%.0f",2.5), string.format("%.1f",0.25), string.format("%f",1/3)', '"2"|"0.2"|"0.333333"'],
  [
    'return table.concat({1,2,3},","), table.concat({},","), table.concat({"a"}), table.concat({1,2,3},"-",2), table.concat({1,2,3},"-",2,3)',
    '"1,2,3"|""|"a"|"2-3"|"2-3"',
  ],
  ['return table.concat({1,{},3})', 'ERR <string>:1: invalid value (table) at index 2 in table for concat'],
  ['return table.getn({1,2}), table.maxn({1,2,[10]=1})', '2|10'],
  ['local t={3,1,2} table.sort(t) return t', '{1=1,2=2,3=3}'],
  ['local t={3,1,2} table.sort(t,function(a,b) return a>b end) return t', '{1=3,2=2,3=1}'],
  ['local t={"b","a"} table.sort(t) return t', '{1="a",2="b"}'],
  ['local t={1,"a"} table.sort(t) return t', 'ERR <string>:1: attempt to compare string with number'],
  ['local t={1,2,3} table.insert(t,4) table.insert(t,1,0) return t', '{1=0,2=1,3=2,4=3,5=4}'],
  ['local t={1,2,3} return table.remove(t), table.remove(t,1), t', '3|1|{1=2}'],
  ['return table.remove({})', 'nil'],
  ['local t={} table.insert(t,nil) return #t', '0'],
  ['local t={1,2} table.insert(t,5,9) return t', '{1=1,2=2,5=9}'],
  ['local t={1,2,3} table.insert(t,0,9) return t', '{1=1,2=2,3=3,0=9}'],
  ['local s=0 for i=1,10 do s=s+i end return s', '55'],
  ['local s="" for i=10,1,-3 do s=s..i.."," end return s', '"10,7,4,1,"'],
  ['for i=1,3,0 do break end return 1', '1'],
  ['for i="1",2 do return i end', 'ERR <string>:1: for statement init must be a number'],
  ['for i=nil,2 do end', 'ERR <string>:1: for statement init must be a number'],
  ['for i=1,{} do end', 'ERR <string>:1: for statement limit must be a number'],
  ['local r={} for i=1,2,0.5 do r[#r+1]=i end return r', '{1=1,2=1.5,3=2}'],
  ['local i=0 while true do i=i+1 if i>5 then break end end return i', '6'],
  ['local i=0 repeat local j=i i=i+1 until j>=3 return i', '4'],
  ['for _,v in ipairs({1,2,nil,4}) do r=(r or 0)+v end return r', '3'],
  [
    'local k={} for a,b in pairs({10,20,x=1,y=2}) do k[#k+1]=tostring(a)..tostring(b) end return k',
    '{1="110",2="220",3="x1",4="y2"}',
  ],
  ['for x in nil do end', 'ERR <string>:1: attempt to call a non-function object'],
  ['for x in 5 do end', 'ERR <string>:1: attempt to call a non-function object'],
  ['local function f(...) return select("#",...), ... end return f(1,nil,3)', '3|1|nil|3'],
  ['local function f(...) local a,b = ... return a,b end return f(1)', '1|nil'],
  ['local function f() return 1,2,3 end return f(), f()', '1|1|2|3'],
  ['local function f() return 1,2,3 end return (f())', '1'],
  ['local function f() return 1,2,3 end local t={f(),f()} return #t', '4'],
  ['local a,b,c=1,2 return a,b,c', '1|2|nil'],
  ['local t={1,2} local i=1 i,t[i]=i+1,20 return i,t', '2|{1=20,2=2}'],
  ['local f={} for i=1,3 do f[i]=function() return i end end return f[1](),f[2](),f[3]()', '1|2|3'],
  ['local function fact(n) if n<2 then return 1 end return n*fact(n-1) end return fact(20)', '2432902008176640000'],
  ['local c=0 local function inc() c=c+1 return c end inc() inc() return c', '2'],
  ['do local x=1 end return x', 'nil'],
  ['local x=1 do local x=2 end return x', '1'],
  ['goto done do return 1 end ::done:: return 2', '2'],
  ['for i=1,3 do if i==2 then goto continue end r=(r or "")..i ::continue:: end return r', '"13"'],
  ['local i=1 ::top:: if i<5 then i=i+1 goto top end return i', '5'],
  ['local mt={__index=function(t,k) return k.."!" end} return setmetatable({},mt).foo', '"foo!"'],
  ['local t=setmetatable({},{__index={a=1}}) return t.a,t.b', '1|nil'],
  ['local t=setmetatable({},{__newindex=function(t,k,v) rawset(t,k,v*2) end}) t.x=2 return t.x', '4'],
  ['local t=setmetatable({},{__call=function(self,a) return a+1 end}) return t(1)', '2'],
  [
    'local m={__add=function(a,b) return 7 end,__eq=function() return true end,__lt=function() return true end,__concat=function() return "c" end,__unm=function() return "neg" end,__len=function() return 9 end,__tostring=function() return "T" end} local a,b=setmetatable({},m),setmetatable({},m) return a+1,a==b,a<b,a.."x",-a,#a,tostring(a)',
    '7|true|true|"c"|"neg"|9|"T"',
  ],
  ['return [[a\nb]], [==[x]]y]==], [[\nfirst]]', '"a\\nb"|"x]]y"|"first"'],
  ["return 'it\\'s', \"a\\tb\\n\\065\\\\\"", '"it\'s"|"a\\tb\\nA\\\\"'],
  ['return #"→"', '3'],
  ['--[[ c ]] return 1 -- x', '1'],
  ['--[==[ multi\nline ]==] return 2', '2'],
  ['return 3;', '3'],
  ['return', ''],
  ['local x <const> = 1', 'SYNTAX'],
  ['return 1 +', 'SYNTAX'],
  ['if', 'SYNTAX'],
  ['x = = 1', 'SYNTAX'],
  ['return "abc', 'SYNTAX'],
  ["return 'a\nb'", 'SYNTAX'],
  ['local t = {1,2,3,} return #t', '3'],
  ['local t = {1;2;a=3;[5]=6} return t', '{1=1,2=2,5=6,"a"=3}'],
  ['return {[1]="a",[2]="b"}', '{1="a",2="b"}'],
  ['return {a=1,["b c"]=2,[3]=3}', '{3=3,"a"=1,"b c"=2}'],
  ['local a = {} ; (a).x = 1 return a.x', '1'],
  ['f = function() return 1 end return f()', '1'],
  ['function t() return 1 end return t()', '1'],
  ['local t={} function t.a() return 1 end function t:b() return self==t end return t.a(), t:b()', '1|true'],
  ['local t={x={}} function t.x.y(z) return z end return t.x.y(4)', '4'],
  ['print "x" return 1', '1'],
  ['return type{}', '"table"'],
  ['return ("x").y', 'nil'],
  [
    'return math.floor(1.5), math.ceil(1.5), math.max(1,3,2), math.min(1,3,2), math.abs(-1), math.huge, -math.huge, math.pi, math.sqrt(4), math.fmod(7,3), math.pow(2,3)',
    '1|2|3|1|1|1.7976931348623157e+308|-1.7976931348623157e+308|3.141592653589793|2|1|8',
  ],
  ['return math.floor(-1.5), math.modf(1.5)', '-2|1|0.5'],
  ['return 1/0, -1/0, 0/0', '+Inf|-Inf|NaN'],
  ['return math.huge > 1e308', 'true'],
  ['return 2^1024-1 > 1e300', 'true'],
  [
    'return tostring(1e15), tostring(123456.789), tostring(1e100), tostring(2^63), tostring(-2^63)',
    '"1000000000000000"|"123456.789"|"1e+100"|"9.223372036854776e+18"|"-9223372036854775808"',
  ],
  ['return 5 // 2', 'SYNTAX'],
  ['return 1 ~= 2', 'true'],
  ['return not not nil', 'false'],
  ['return - -2', '2'],
  ['return -2^2', '-4'],
  ['return 2^-1', '0.5'],
  ['return 2^3^2', '512'],
  ['return 1 .. 2 == "12"', 'true'],
  ['return "a" < "b" == true', 'true'],
  ['return 1,2,3', '1|2|3'],
  ['local function f() end return f()', ''],
  ['local function f() return end return f()', ''],
  ['return (nil)', 'nil'],
  ['return #("x"):rep(5)', '5'],
  ['return os.time({year=2024,month=1,day=2,hour=3,min=4,sec=5})', '1704164645'],
  ['return string.rep("ab",0), string.rep("ab",-1)', '""|""'],
  ['return ("%d"):format(5)', '"5"'],
  ['return ("a,b,,c"):find(",",1,true)', '2|2'],
  [
    'return string.match("abc123","%a+%d+"), string.match("0xFF","%x+"), string.match("a_b","[%w_]+"), string.match("hello123world","%D+")',
    '"abc123"|"0"|"a_b"|"hello"',
  ],
  ['return string.match("foo.bar","^(.-)%.(.*)$")', '"foo"|"bar"'],
  ['return string.match("[test]","^%[(.*)%]$")', '"test"'],
  ['return string.find("abc","b",-1), string.find("abc","b",-2)', 'nil|2|2'],
  ['return ("abc"):find("c$")', '3|3'],
  ['return string.match("2 apples","(%d+) (%a+)")', '"2"|"apples"'],
  ['return string.match("ab12","%u"), string.match("aB","%u")', 'nil|"B"'],
  ['return tostring(12):len()', '2'],
  ['return ("x"):bad()', 'ERR <string>:1: attempt to call a non-function object'],
  ['string.sub()', 'ERR <string>:1: bad argument #1 to sub (string expected, got nil)'],
  ['string.rep("x")', 'ERR <string>:1: bad argument #2 to rep (number expected, got nil)'],
  ['("x"):rep({})', 'ERR <string>:1: bad argument #2 to rep (number expected, got table)'],
  ['table.concat(nil)', 'ERR <string>:1: bad argument #1 to concat (table expected, got nil)'],
  ['ipairs(nil)', 'ERR <string>:1: bad argument #1 to ipairs (table expected, got nil)'],
  ['pairs(nil)', 'ERR <string>:1: bad argument #1 to pairs (table expected, got nil)'],
  ['tonumber()', 'ERR <string>:1: bad argument #1 to tonumber (value expected)'],
  ['tostring()', 'ERR <string>:1: bad argument #1 to tostring (value expected)'],
  ['return tostring(nil)..""', '"nil"'],
  ['return select(0)', 'ERR <string>:1: bad argument #1 to select (index out of range)'],
  ['unpack()', 'ERR <string>:1: bad argument #1 to unpack (table expected, got nil)'],
  ['string.format()', 'ERR <string>:1: bad argument #1 to format (string expected, got nil)'],
  ['math.floor("x")', 'ERR <string>:1: bad argument #1 to floor (number expected, got string)'],
  ['return math.floor("3.7")', '3'],
  ['next(nil)', 'ERR <string>:1: bad argument #1 to next (table expected, got nil)'],
  ['local t={} t[nil]=1', 'ERR <string>:1: table index is nil'],
  ['local t={} t[0/0]=1', 'ERR <string>:1: table index is NaN'],
  ['return ({})[nil]', 'nil'],
  ['return string.format("%5s","é")', '"    é"'],
  ['return string.upper("é")', '"É"'],
  ['local t = {} for i=1,5 do t[i]=i end for k in pairs(t) do t[k]=nil end return next(t)', 'nil'],
  ['local t={a=1,b=2} t.a=nil local r={} for k in pairs(t) do r[#r+1]=k end return r', '{1="b"}'],
  ['return (function(...) return #{...} end)(1,nil,3)', '3'],
  ['return table.getn({1,nil,3})', '3'],
  ['local s = "" for k,v in pairs({3,2,1}) do s = s..k..":"..v.." " end return s', '"1:3 2:2 3:1 "'],
  ['return string.len("\\0ab")', '3'],
  ['return "\\x41"', '"x41"'],
  ['return "\\z"', '"z"'],
  ['local a <close> = 1', 'SYNTAX'],
  ['a.b:c = 1', 'SYNTAX'],
  ['return function() end', 'function'],
  ['local t={f=function(self,x) return x end} return t:f"lit", t:f{1}[1]', '"lit"|1'],
  ['return #arg', 'ERR <string>:1: __len undefined'],
  ['return _VERSION', '"Lua 5.1"'],
  ['return _G._G == _G', 'true'],
  ['x=5 return _G.x', '5'],
  ['return require("string") == string', 'true'],
  ['local os = require("os") return type(os.time())', '"number"'],
];

test('chunks answer what gopher-lua answers', () => {
  assert.deepEqual(
    rows.map(([source]) => ({ source, answer: answer(source) })),
    rows.map(([source, want]) => ({ source, answer: want })),
  );
});

const endless = [
  'while true do end',
  'repeat until false',
  'for i = 1, 1e12 do local x = i end',
  '::top:: goto top',
  'while true do pcall(error, "x") end',
  'local s = string.rep("a", 40) return s:find(string.rep("a-", 30) .. "b")',
  'local s = string.rep("a", 1000000) while true do s:find("b", 1, true) end',
  'local t = {} for i = 1, 100000 do t[i] = i % 7 end while true do table.sort(t) end',
];

test('a script that does not end is ended, and pcall cannot hold it', () => {
  for (const source of endless) {
    const run = () => runLua(compileLua(source), { globals: {}, openLibraries: true, nowMs: 0 });
    assert.throws(run, (error) => error instanceof LuaLimitError && error.message.includes('deadline'), source);
  }
});

const greedy = [
  'local s = "x" while true do s = s .. s end',
  'return string.rep("x", 1e9)',
  'local t = {} t[60000000] = 1',
  'local t = {} while true do t[#t + 1] = {} end',
  'local t = {} local i = 0 while true do i = i + 1 t["k" .. i] = i end',
  'return string.format("%99s", "x"):rep(1e7)',
];

test('memory that a script asks for has a limit', () => {
  for (const source of greedy) {
    const run = () => runLua(compileLua(source), { globals: {}, openLibraries: true, nowMs: 0 });
    assert.throws(run, (error) => error instanceof LuaLimitError && error.message.includes('bytes'), source);
  }
});

test('endless recursion and deep nesting have limits', () => {
  const recursion = compileLua('local function f() return f() + 1 end return f()');
  assert.throws(() => runLua(recursion, { globals: {}, openLibraries: false, nowMs: 0 }), /stack overflow/);
  const chain = compileLua(`return ${'1 + '.repeat(20_000)}1`);
  assert.throws(() => runLua(chain, { globals: {}, openLibraries: false, nowMs: 0 }), LuaLimitError);
  assert.throws(() => compileLua(`return ${'('.repeat(5000)}1${')'.repeat(5000)}`), LuaError);
  assert.throws(() => compileLua(`return ${'- '.repeat(5000)}1`), LuaError);
  assert.throws(() => compileLua(`${'do '.repeat(5000)}${'end '.repeat(5000)}`), LuaError);
  assert.throws(() => compileLua(`return ${'{'.repeat(5000)}${'}'.repeat(5000)}`), LuaError);
});

test('without the open libraries there are only the base, table and os, and never files', () => {
  const names = ['string', 'math', 'io', 'debug', 'loadfile', 'dofile', 'load', 'loadstring', 'coroutine'];
  const source = `return ${names.map((name) => `type(${name})`).join(', ')}, type(table), type(os.time), type(os.exit)`;
  const closed = runLua(compileLua(source), { globals: {}, openLibraries: false, nowMs: 0 });
  assert.deepEqual(closed.values, [...names.map(() => 'nil'), 'table', 'function', 'nil']);
  const open = runLua(compileLua(source), { globals: {}, openLibraries: true, nowMs: 0 });
  assert.deepEqual(open.values.slice(0, 3), ['table', 'table', 'nil']);
  assert.throws(
    () => runLua(compileLua('return ("x"):upper()'), { globals: {}, openLibraries: false, nowMs: 0 }),
    /non-table object\(string\)/,
  );
});

test('runs share nothing', () => {
  const script = compileLua('n = (n or 0) + 1 string.x = (string.x or 0) + 1 return n, string.x');
  for (let at = 0; at < 2; at += 1)
    assert.deepEqual(runLua(script, { globals: {}, openLibraries: true, nowMs: 0 }).values, [1, 1]);
});

test('JSON goes in and out', () => {
  const run = (source: string, obj: unknown) =>
    runLua(compileLua(source), { globals: { obj }, openLibraries: true, nowMs: 1_700_000_000_000 }).json();
  const object = { a: [1, { b: 'é' }], c: { d: true }, e: 1.5 };
  assert.deepEqual(run('return obj', object), object);
  assert.deepEqual(run('return obj', { a: null, b: {}, c: [1, null] }), { b: [], c: [1] });
  assert.equal(run('return #obj.text', { text: 'é' }), 2);
  assert.equal(run('return os.time()', {}), 1_700_000_000);
  assert.equal(run('return os.date("!%Y-%m-%dT%H:%M:%SZ")', {}), '2023-11-14T22:13:20Z');
  assert.throws(() => run('local t = {} t.t = t return t', {}), /recursively nested/);
  assert.throws(() => run('return {1, x = 2}', {}), /mixed or invalid key types/);
  assert.throws(() => run('return {[3] = 1}', {}), /sparse array/);
  assert.throws(() => run('return {f = print}', {}), /function/);
});
