using System.ComponentModel;
using System.Linq.Expressions;
using Datacake.Data.Expressions;

namespace Datacake.Data.CodeGeneration;

/// <summary>A property of a foreign key. For generated code.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public abstract class ForeignKeyPart<TDependent>
{
    private protected ForeignKeyPart(string name) => Name = name;

    /// <summary>Gets the name of the property.</summary>
    public string Name { get; }

    /// <summary>Returns the condition that the property has one of several values.</summary>
    internal abstract Expression<Func<TDependent, bool>> IsAmong(IEnumerable<object?> values);
}

/// <inheritdoc/>
/// <param name="name">The name of the property.</param>
/// <param name="property">The property.</param>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class ForeignKeyPart<TDependent, TValue>(string name, Expression<Func<TDependent, TValue>> property) : ForeignKeyPart<TDependent>(name)
{
    internal override Expression<Func<TDependent, bool>> IsAmong(IEnumerable<object?> values)
    {
        var known = values.Select(value => (TValue)value!).Distinct().ToList();
        Expression<Func<TValue, bool>> isAmong = value => known.Contains(value);
        return Expression.Lambda<Func<TDependent, bool>>(
            new ParameterReplacement(isAmong.Parameters[0], property.Body).Visit(isAmong.Body), property.Parameters);
    }
}
