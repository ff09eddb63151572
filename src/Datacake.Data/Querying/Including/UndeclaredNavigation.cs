using System.Linq.Expressions;
using Datacake.Data.Metadata;

namespace Datacake.Data.Querying.Including;

/// <summary>
/// A search for properties of entity classes that the model has no relation for. Only an <c>Include</c> with a foreign key fills them.
/// Otherwise, they have the values that the class gives them, and a condition on them would find nothing without any error.
/// </summary>
sealed class UndeclaredNavigation : ExpressionVisitor
{
    readonly ContextModel _context;
    readonly IReadOnlyCollection<string> _included;
    (EntityModel Model, string Name)? _found;

    UndeclaredNavigation(ContextModel context, IReadOnlyCollection<string> included) => (_context, _included) = (context, included);

    /// <summary>Throws if an expression of a query uses such a property.</summary>
    /// <param name="context">The context.</param>
    /// <param name="expression">The expression.</param>
    /// <param name="included">The names of the properties that the query includes.</param>
    /// <exception cref="InvalidOperationException">The expression uses such a property.</exception>
    public static void Refuse(ContextModel context, LambdaExpression expression, IReadOnlyCollection<string>? included = null)
    {
        var search = new UndeclaredNavigation(context, included ?? []);
        search.Visit(expression.Body);
        if (search._found is not var (model, name))
            return;
        throw new InvalidOperationException(
            $"The query uses {name} of {model.Name}, which is not loaded, because the model has no relation for it. Instead of [Ignore], declare "
            + "a relation with a foreign key property, or with HasOne or HasMany in OnModelCreating. Or load it first with Include and its "
            + $"foreign key: Include(e => e.{name}, e => e.{name}Id).");
    }

    /// <summary>Returns the exception to throw for an <c>Include</c> of a property that is not a navigation.</summary>
    public static InvalidOperationException NotIncludable(EntityModel model, string name) => new(model.FindProperty(name) is { } stored
        ? $"{name} of {model.Name} is {(stored.Kind == PropertyKind.Owned ? "an owned object" : "a value")}, which is stored with the {model.Name} and always loaded. "
            + "Remove the Include, which is for related entities."
        : $"The model has no relation for {name} of {model.Name}. Instead of [Ignore], declare a relation with a foreign key property, or with "
            + $"HasOne or HasMany in OnModelCreating. Or name the foreign key: Include(e => e.{name}, e => e.{name}Id), or IncludeMany for a collection.");

    protected override Expression VisitMember(MemberExpression node)
    {
        if (node is { Expression: { } owner, Member: System.Reflection.PropertyInfo { Name: var name } } && !node.Type.IsValueType && node.Type != typeof(string) && _context.FindModel(owner.Type) is { } model
            && model.FindProperty(name) is null && model.FindNavigation(name) is null && !_included.Contains(name) && _context.IsEntity(node.Type))
            _found ??= (model, name);
        return base.VisitMember(node);
    }
}
