using System.Text.Json;
using System.Text.RegularExpressions;

namespace Datacake.Administration.Conditions;

/// <summary>
/// Reads conditions: comparisons of a property with a number, a 'text', true, false or null, joined by and, or, not and parentheses.
/// A property whose name has other characters than letters, digits, _ and . is in brackets, such as <c>[unit price]</c>.
/// </summary>
sealed partial class ConditionParser
{
    /// <summary>The maximum depth of parentheses and negations.</summary>
    const int MaxDepth = 100;

    readonly string _text;
    Match _token;
    int _depth;

    ConditionParser(string text)
    {
        _text = text;
        _token = Token().Match(text);
    }

    /// <summary>Reads a condition.</summary>
    /// <exception cref="ConditionException">The text is not a condition. The message says where.</exception>
    public static Condition Parse(string text)
    {
        var parser = new ConditionParser(text);
        var condition = parser.ReadOr();
        return parser.IsAtEnd ? condition : throw parser.Expected("and, or, or the end");
    }

    bool IsAtEnd => _token.Groups["end"].Success;

    Condition ReadOr()
    {
        var left = ReadAnd();
        while (TakeWord("or"))
            left = new Condition.Or(left, ReadAnd());
        return left;
    }

    Condition ReadAnd()
    {
        var left = ReadOperand();
        while (TakeWord("and"))
            left = new Condition.And(left, ReadOperand());
        return left;
    }

    Condition ReadOperand()
    {
        if (++_depth > MaxDepth)
            throw new ConditionException($"The condition has more than {MaxDepth} nested parentheses. Simplify it.");
        Condition condition;
        if (TakeWord("not"))
            condition = new Condition.Not(ReadOperand());
        else if (TakeSymbol("("))
        {
            condition = ReadOr();
            if (!TakeSymbol(")"))
                throw Expected("and, or, or a closing parenthesis");
        }
        else
            condition = new Condition.Comparison(ReadProperty(), ReadOperator(), ReadValue());
        _depth--;
        return condition;
    }

    string ReadProperty()
    {
        if (!_token.Groups["word"].Success && !_token.Groups["name"].Success)
            throw Expected("the name of a property");
        string name = _token.Groups["name"].Success ? _token.Groups["name"].Value : _token.Groups["word"].Value;
        Advance();
        return name;
    }

    Operator ReadOperator()
    {
        Operator? found = _token.Value.Trim().ToUpperInvariant() switch
        {
            "=" or "==" => Operator.Equal,
            "!=" or "<>" => Operator.NotEqual,
            "<" => Operator.Less,
            "<=" => Operator.LessOrEqual,
            ">" => Operator.Greater,
            ">=" => Operator.GreaterOrEqual,
            "CONTAINS" => Operator.Contains,
            "STARTSWITH" => Operator.StartsWith,
            _ => null,
        };
        if (found is not { } known)
            throw Expected("an operator: =, !=, <, <=, >, >=, contains or startswith");
        Advance();
        return known;
    }

    JsonElement ReadValue()
    {
        string? json = _token.Groups["text"].Success ? $"\"{JsonEncodedText.Encode(_token.Groups["text"].Value.Replace("''", "'", StringComparison.Ordinal))}\""
            : _token.Groups["number"].Success ? _token.Groups["number"].Value
            : _token.Groups["word"].Value.ToUpperInvariant() is "TRUE" or "FALSE" or "NULL" ? _token.Groups["word"].Value.ToLowerInvariant()
            : null;
        if (json is null)
            throw Expected("a number, a 'text' in single quotes, true, false or null");
        Advance();
        return JsonElement.Parse(json);
    }

    bool TakeWord(string word) => Take(_token.Groups["word"].Value.Equals(word, StringComparison.OrdinalIgnoreCase));

    bool TakeSymbol(string symbol) => Take(_token.Groups["symbol"].Value == symbol);

    bool Take(bool isIt)
    {
        if (isIt)
            Advance();
        return isIt;
    }

    void Advance() => _token = Token().Match(_text, _token.Index + _token.Length);

    ConditionException Expected(string what)
    {
        int position = _token.Index + _token.Length - _token.Value.TrimStart().Length;
        string found = IsAtEnd ? "the end" : $"'{_token.Value.Trim()}' at position {position + 1}";
        return new ConditionException($"The condition \"{_text}\" has {found} in place of {what}.");
    }

    [GeneratedRegex(
        @"\G\s*(?:(?<end>\z)|(?<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(?![\w.])|'(?<text>(?:[^']|'')*)'|\[(?<name>[^\]]+)\]|(?<word>[\w$][\w$.]*)|(?<symbol>==|!=|<>|<=|>=|[=<>()])|(?<other>.))",
        RegexOptions.Singleline)]
    private static partial Regex Token();
}
