namespace Datacake.Administration.Conditions;

/// <summary>The operators that compare a property with a value.</summary>
enum Operator
{
    /// <summary>Equality, written <c>=</c>.</summary>
    Equal,

    /// <summary>Inequality, written <c>!=</c>.</summary>
    NotEqual,

    /// <summary>Order, written <c>&lt;</c>. Values of different kinds have none.</summary>
    Less,

    /// <summary>Order, written <c>&lt;=</c>.</summary>
    LessOrEqual,

    /// <summary>Order, written <c>&gt;</c>.</summary>
    Greater,

    /// <summary>Order, written <c>&gt;=</c>.</summary>
    GreaterOrEqual,

    /// <summary>A part of a text, or an element of an array or set, written <c>contains</c>.</summary>
    Contains,

    /// <summary>The beginning of a text, written <c>startswith</c>.</summary>
    StartsWith,
}
