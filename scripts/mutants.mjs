/** Small changes at every place of Solidity sources, all of them in one text: each stands behind a switch (see
 *  switchedCopy.mjs). */
import { isOn } from './switchedCopy.mjs';

const comparisons = { '<': '<=', '<=': '<', '>': '>=', '>=': '>', '==': '!=', '!=': '==' };
const operations = {
  '+': '-',
  '-': '+',
  '*': '/',
  '/': '*',
  '%': '/',
  '&': '|',
  '|': '&',
  '<<': '>>',
  '>>': '<<',
  '&&': '||',
  '||': '&&',
};
const compound = { '+=': '-=', '-=': '+=', '*=': '/=', '/=': '*=', '|=': '&=', '&=': '|=' };

/** @param sources file -> its syntax tree, with types, and its text
 *  @param skipped numbers of mutants that get no switch, because they do not compile
 *  @returns texts: file -> text with switches; mutants: {number, file, line, text, what, before, after}; constants: names of
 *  those that are functions now, so that others call them */
export function withSwitches(sources, skipped = new Set()) {
  const constants = movableConstants(sources);
  const mutants = [];
  const texts = {};
  for (const [file, { ast, source }] of Object.entries(sources)) {
    texts[file] = new Renderer(file, source, constants, mutants, skipped).render(ast);
  }
  return { texts, mutants, constants: [...new Set(constants.values())] };
}

/** Which mutant the compiler's complaint at `start` of a text with switches is about. */
export function mutantAt(text, start) {
  const ahead = /^\(*(?:uint256)?\(*block\.coinbase == address\((\d+)\)/.exec(text.slice(start, start + 80));
  if (ahead !== null) return Number(ahead[1]);
  const behind = [
    ...text.slice(Math.max(0, start - 2000), start).matchAll(/== address\((\d+)\)|coinbase\(\), (\d+)\)/g),
  ];
  const last = behind.at(-1);
  return last === undefined ? null : Number(last[1] ?? last[2]);
}

class Renderer {
  constructor(file, source, constants, mutants, skipped) {
    Object.assign(this, { file, source, constants, mutants, skipped });
    /** statements whose semicolon, which the syntax tree leaves out, is in their text already */
    this.closed = new Set();
  }

  /** Text of a node, with a switch at every place in it that can be changed. */
  render(node, parent = null) {
    const { nodeType } = node;
    if (this.constants.has(node.id)) return this.constantAsFunction(node);
    if (isLeftAlone(node)) return this.text(node);
    const isName = nodeType === 'Identifier' || nodeType === 'MemberAccess';
    if (isName && this.constants.has(node.referencedDeclaration)) return this.text(node);
    if (isNumber(node)) return this.number(node, parent);
    if (nodeType === 'Literal') return this.bool(node);
    if (nodeType === 'YulLiteral') return this.yulNumber(node, parent);
    if (nodeType === 'YulExpressionStatement') return this.yulStatement(node);
    if (/Statement$|^Continue$|^Break$/.test(nodeType)) return this.statement(node, parent);
    const inner = this.children(node, nodeType === 'FunctionCall' ? this.swapped(node) : undefined);
    const changes = this.changesOf(node).map(([number, after]) => `${isOn(number)} ? ${after} : `);
    return changes.length === 0 ? inner : `(${changes.join('')}${inner})`;
  }

  /** The text of a node in which each part is rendered, or replaced. */
  children(node, replaced = new Map()) {
    const [start, end] = rangeOf(node);
    let out = '';
    let at = start;
    for (const part of partsOf(node)) {
      const [from, to] = rangeOf(part);
      if (from < at) continue; // it stands in another part
      out += this.source.slice(at, from) + (replaced.get(part) ?? this.render(part, node));
      at = this.closed.has(part) ? this.source.indexOf(';', to) + 1 : to;
    }
    if (at > end) this.closed.add(node); // as its last part is
    return out + this.source.slice(at, end);
  }

  /** [number, text] of each change of an expression that keeps its type. */
  changesOf(node) {
    const found = [];
    const add = (what, after) => {
      const number = this.mutant(node, what, after);
      if (number !== null) found.push([number, after]);
    };
    if (node.nodeType === 'BinaryOperation') {
      const other = comparisons[node.operator] ?? operations[node.operator];
      const what = node.operator in comparisons ? 'comparison' : 'operation';
      const [left, right] = [this.text(node.leftExpression), this.text(node.rightExpression)];
      if (other !== undefined) add(what, `${left} ${other} ${right}`);
    }
    if (node.nodeType === 'UnaryOperation' && node.operator === '!') {
      add('no negation', this.text(node.subExpression));
    }
    if (node.nodeType === 'Conditional') {
      const [condition, yes, no] = [node.condition, node.trueExpression, node.falseExpression];
      add('branches', `(${this.text(condition)} ? ${this.text(no)} : ${this.text(yes)})`);
    }
    if (node.nodeType === 'FunctionCall' && node.expression.memberName === 'ceilDiv') {
      const [a, b] = node.arguments.map((argument) => this.text(argument));
      add('rounding', `((${a}) / (${b}))`);
    }
    return found;
  }

  /** Neighbours of one type change places. Of a require only the condition counts: what an error reports pays nobody. */
  swapped({ arguments: args, names, expression }) {
    const replaced = new Map();
    if (expression.name === 'require') {
      for (const argument of args.slice(1)) replaced.set(argument, this.text(argument));
      return replaced;
    }
    for (let i = 0; i + 1 < args.length && !(names?.length > 0); i += 1) {
      const [a, b] = [args[i], args[i + 1]];
      const [before, after] = [this.text(a), this.text(b)];
      if (typeOf(a) !== typeOf(b) || isNumber(a) || before === after) continue;
      const number = this.mutant(a, 'order of arguments', `${after}, ${before}`);
      if (number === null) continue;
      const call = { nodeType: 'FunctionCall' };
      replaced.set(a, `(${isOn(number)} ? ${after} : ${replaced.get(a) ?? this.render(a, call)})`);
      replaced.set(b, `(${isOn(number)} ? ${before} : ${this.render(b, call)})`);
    }
    return replaced;
  }

  statement(node, parent) {
    const { nodeType, expression } = node;
    if (nodeType === 'IfStatement') return this.ifStatement(node);
    if (nodeType === 'RevertStatement') return this.dropped(node, 'no revert', this.text(node));
    if (nodeType === 'Break' || nodeType === 'Continue')
      return this.dropped(node, 'no jump', this.text(node));
    if (nodeType === 'EmitStatement') return this.dropped(node, 'no event', this.children(node));
    const inHead = parent?.nodeType === 'ForStatement' && node !== parent.body; // without it the loop never ends
    if (nodeType !== 'ExpressionStatement' || inHead) return this.children(node);
    if (expression.nodeType === 'FunctionCall') {
      const isRequire = expression.expression.name === 'require';
      return this.dropped(node, isRequire ? 'no require' : 'no call', this.children(node));
    }
    if (expression.nodeType === 'Assignment') return this.assignment(node);
    return this.dropped(node, 'no store', this.children(node));
  }

  assignment(node) {
    const { operator, leftHandSide, rightHandSide } = node.expression;
    let text = this.children(node);
    if (operator in compound) {
      const after = `${this.text(leftHandSide)} ${compound[operator]} ${this.text(rightHandSide)}`;
      const number = this.mutant(node, 'operation', after);
      if (number !== null) text = `if (${isOn(number)}) { ${after}; } else { ${text}; }`;
    }
    return this.dropped(node, 'no store', text);
  }

  ifStatement(node) {
    const { condition } = node;
    const isCovered = condition.operator in comparisons || condition.operator === '!';
    const after = `!(${this.text(condition)})`;
    const number = isCovered ? null : this.mutant(condition, 'condition', after);
    if (number === null) return this.children(node);
    const inner = this.render(condition, node);
    return this.children(node, new Map([[condition, `(${isOn(number)} ? ${after} : ${inner})`]]));
  }

  /** A statement that is not made if its switch is on; in braces, so that no `else` goes astray. */
  dropped(node, what, text) {
    const number = this.mutant(node, what, '');
    this.closed.add(node);
    const statement = text.endsWith('}') ? text : `${text};`;
    return number === null ? `{ ${statement} }` : `{ if (!(${isOn(number)})) { ${statement} } }`;
  }

  number(node, parent) {
    const text = this.text(node);
    const isNoNumber =
      (parent?.kind === 'typeConversion' && !/^u?int/.test(typeOf(parent))) ||
      /^(bytes|address)/.test(parent?.commonType?.typeString ?? typeOf(targetOf(parent)));
    if (isNoNumber) return text;
    const changes = (text === '0' ? ['(0 + 1)'] : [`(${text} + 1)`, `(${text} - 1)`]).map((after) => {
      const number = this.mutant(node, 'constant', after);
      return number === null ? '' : `${isOn(number)} ? ${after} : `;
    });
    // a number by itself is of the smallest type that holds it
    const isShifted = /^(<<|>>|\*\*)$/.test(parent?.operator) && node === parent.leftExpression;
    return changes.join('') === '' ? text : `${isShifted ? 'uint256' : ''}(${changes.join('')}${text})`;
  }

  bool(node) {
    if (node.kind !== 'bool') return this.text(node);
    const after = node.value === 'true' ? 'false' : 'true';
    const number = this.mutant(node, 'constant', after);
    return number === null ? this.text(node) : `(${isOn(number)} ? ${after} : ${this.text(node)})`;
  }

  yulNumber(node, parent) {
    const isPlace = parent.nodeType !== 'YulFunctionCall' || parent.functionName.name === 'mload';
    if (node.kind !== 'number' || isPlace) return this.text(node);
    const number = this.mutant(node, 'constant', `${this.text(node)} + 1`);
    return number === null ? this.text(node) : `add(${this.text(node)}, eq(coinbase(), ${number}))`;
  }

  yulStatement(node) {
    const number = this.mutant(node, 'no store', '');
    const text = this.children(node);
    return number === null ? text : `if iszero(eq(coinbase(), ${number})) { ${text} }`;
  }

  /** A constant can not depend on a switch, a function can. */
  constantAsFunction(node) {
    this.closed.add(node);
    const visibility = node.visibility === 'public' ? 'public' : 'internal';
    const override = node.baseFunctions?.length > 0 ? 'override' : '';
    const value = this.render(node.value, node);
    return `function ${node.name}() ${visibility} view ${override} returns (${this.text(node.typeName)}) { return ${value}; }`;
  }

  /** @returns its number, or null if it is skipped */
  mutant(node, what, after) {
    const number = this.mutants.length + 1;
    const [start, end] = rangeOf(node);
    const line = this.source.slice(0, start).split('\n').length;
    const text = this.source.split('\n')[line - 1].trim();
    const before = this.source.slice(start, end);
    const asWritten = [...this.constants.values()].reduce(
      (edited, name) => edited.replaceAll(`${name}()`, name),
      after,
    );
    this.mutants.push({ number, file: this.file, line, text, what, before, after: asWritten });
    return this.skipped.has(number) ? null : number;
  }

  text(node) {
    const text = this.source.slice(...rangeOf(node));
    return [...new Set(this.constants.values())].reduce(
      (edited, name) => edited.replace(new RegExp(`\\b${name}\\b(?!\\()`, 'g'), `${name}()`),
      text,
    );
  }
}

/** Constants with a number in them, or with another of them, that no array's length and no assembly names: id -> name. */
function movableConstants(sources) {
  const found = new Map();
  const fixed = new Set();
  const candidates = [];
  for (const { ast } of Object.values(sources)) {
    visit(ast, (node) => {
      for (const { declaration } of node.externalReferences ?? []) fixed.add(declaration);
      if (node.nodeType === 'ArrayTypeName') visit(node, (part) => fixed.add(part.referencedDeclaration));
      if (node.nodeType !== 'ContractDefinition') return;
      for (const part of node.nodes) {
        if (part.constant === true && /^u?int/.test(typeOf(part))) candidates.push(part);
      }
    });
  }
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const node of candidates) {
      let hasNumber = false;
      visit(node.value, (part) => {
        if (isNumber(part) || found.has(part.referencedDeclaration)) hasNumber = true;
      });
      if (hasNumber && !fixed.has(node.id)) found.set(node.id, node.name);
    }
  }
  return found;
}

const untouched =
  /^(Import|Pragma|UsingFor|Structured|Event|Error|Enum|Struct|Inheritance|Override|ModifierInv|ParameterList|Mapping|IdentifierPath|NewExpression|ElementaryTypeNameE|YulCase)|TypeName$/;

function isLeftAlone(node) {
  const isDeclaration = node.nodeType === 'VariableDeclaration';
  return untouched.test(node.nodeType) || isDeclaration;
}

function isNumber(node) {
  return /^(int_const|rational_const) /.test(typeOf(node)) && node.nodeType !== 'VariableDeclaration';
}

function typeOf(node) {
  return node?.typeDescriptions?.typeString ?? '';
}

/** What a statement gives its value to, if it is one that does. */
function targetOf(node) {
  return node?.nodeType === 'VariableDeclarationStatement' ? node.declarations[0] : node?.leftHandSide;
}

/** Offsets in characters: the sources are plain ASCII, which `withSwitches` relies on. */
function rangeOf(node) {
  const [start, length] = node.src.split(':').map(Number);
  return [start, start + length];
}

function partsOf(node) {
  const parts = [];
  const collect = (value) => {
    if (Array.isArray(value)) value.forEach(collect);
    else if (typeof value?.nodeType === 'string' && typeof value.src === 'string') parts.push(value);
  };
  for (const [key, value] of Object.entries(node)) {
    if (key !== 'documentation') collect(value);
  }
  return parts.sort((a, b) => rangeOf(a)[0] - rangeOf(b)[0] || rangeOf(b)[1] - rangeOf(a)[1]);
}

function visit(node, see) {
  if (node === null || typeof node !== 'object') return;
  if (typeof node.nodeType === 'string') see(node);
  for (const part of Object.values(node)) visit(part, see);
}
