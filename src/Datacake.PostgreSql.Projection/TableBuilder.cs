using System.Linq.Expressions;
using Datacake.Data.Expressions;
using Datacake.PostgreSql.Projection.Tables;

namespace Datacake.PostgreSql.Projection;

/// <summary>The choices for the table of a keyspace.</summary>
/// <typeparam name="T">The entity class.</typeparam>
public sealed class TableBuilder<T>
    where T : class
{
    readonly TableChoices _choices;

    internal TableBuilder(TableChoices choices) => _choices = choices;

    /// <summary>Sets the name of the table.</summary>
    public TableBuilder<T> Name(string name)
    {
        _choices.Name = SqlName.Check(name);
        return this;
    }

    /// <summary>Sets the name of a property's column, or the end of the name of a collection's table: <c>Column(o =&gt; o.Total, "amount")</c>.</summary>
    /// <exception cref="ArgumentException">The expression is not a property.</exception>
    public TableBuilder<T> Column(Expression<Func<T, object?>> property, string name)
    {
        _choices.Columns[PathOf(property)] = SqlName.Check(name);
        return this;
    }

    /// <summary>Leaves a property out, such as one that reports must not show. An owned object is left out with all its properties.</summary>
    /// <exception cref="ArgumentException">The expression is not a property.</exception>
    public TableBuilder<T> Ignore(Expression<Func<T, object?>> property)
    {
        _choices.Ignored.Add(PathOf(property));
        return this;
    }

    /// <summary>Stores enumerations as their numbers. By default, they are stored as their names.</summary>
    public TableBuilder<T> EnumsAsIntegers()
    {
        _choices.AreEnumsIntegers = true;
        return this;
    }

    /// <summary>Gives each property of owned objects a column, such as <c>address_city</c>. By default, an owned object is a column of type <c>jsonb</c>.</summary>
    public TableBuilder<T> OwnedAsColumns()
    {
        _choices.AreOwnedColumns = true;
        return this;
    }

    /// <summary>
    /// Stores each set, list and dictionary in a table of its own, such as <c>orders_tags</c>, with a foreign key to the table of the entities. The view <c>orders_all</c> joins them. By
    /// default, a collection is a column of type <c>jsonb</c>.
    /// </summary>
    public TableBuilder<T> CollectionsAsTables()
    {
        _choices.AreCollectionsTables = true;
        return this;
    }

    static string PathOf(Expression<Func<T, object?>> property)
    {
        ArgumentNullException.ThrowIfNull(property);
        var body = property.Body is UnaryExpression { NodeType: ExpressionType.Convert, Operand: var operand } ? operand : property.Body;
        return PropertyPath.Of(body, property.Parameters[0])
            ?? throw new ArgumentException($"The expression '{property}' is not a property of {typeof(T).Name}. Write it as o => o.Total, or o => o.Address.City.", nameof(property));
    }
}
