using System.Diagnostics.CodeAnalysis;
using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Datacake.Data.Querying.Operators;

/// <summary>
/// A rewriter that makes comparisons of strings within sequences ordinal, as in <c>g => g.Max(x => x.Name)</c>. The operators of
/// <see cref="Enumerable"/> that compare strings get an ordinal comparer, unless they name a comparer.
/// </summary>
static class OrdinalSequences
{
    // The methods are taken from delegates, so that a natively compiled application contains their code for all classes.
    static readonly Dictionary<string, MethodInfo> ByKey = new()
    {
        [nameof(Enumerable.OrderBy)] = Definition<Func<IEnumerable<object>, Func<object, string>, IComparer<string>, object>>(Enumerable.OrderBy),
        [nameof(Enumerable.OrderByDescending)] = Definition<Func<IEnumerable<object>, Func<object, string>, IComparer<string>, object>>(Enumerable.OrderByDescending),
        [nameof(Enumerable.ThenBy)] = Definition<Func<IOrderedEnumerable<object>, Func<object, string>, IComparer<string>, object>>(Enumerable.ThenBy),
        [nameof(Enumerable.ThenByDescending)] = Definition<Func<IOrderedEnumerable<object>, Func<object, string>, IComparer<string>, object>>(Enumerable.ThenByDescending),
        [nameof(Enumerable.MinBy)] = Definition<Func<IEnumerable<object>, Func<object, string>, IComparer<string>, object?>>(Enumerable.MinBy),
        [nameof(Enumerable.MaxBy)] = Definition<Func<IEnumerable<object>, Func<object, string>, IComparer<string>, object?>>(Enumerable.MaxBy),
    };

    static readonly Dictionary<string, MethodInfo> OfStrings = new()
    {
        [nameof(Enumerable.Order)] = Method<Func<IEnumerable<string>, IComparer<string>, object>>(Enumerable.Order),
        [nameof(Enumerable.OrderDescending)] = Method<Func<IEnumerable<string>, IComparer<string>, object>>(Enumerable.OrderDescending),
        [nameof(Enumerable.Min)] = Method<Func<IEnumerable<string>, IComparer<string>, string?>>(Enumerable.Min),
        [nameof(Enumerable.Max)] = Method<Func<IEnumerable<string>, IComparer<string>, string?>>(Enumerable.Max),
    };

    static readonly MethodInfo Select = Definition<Func<IEnumerable<object>, Func<object, string>, object>>(Enumerable.Select);
    static readonly ConstantExpression Ordinal = Expression.Constant(StringComparer.Ordinal, typeof(IComparer<string>));

    /// <summary>Returns the call with an ordinal comparer; null if it does not compare strings, or names a comparer.</summary>
    public static MethodCallExpression? Rewrite(MethodCallExpression call)
    {
        if (call.Method.DeclaringType != typeof(Enumerable))
            return null;
        var types = call.Method.GetGenericArguments();
        string name = call.Method.Name;
        return call.Arguments switch
        {
            [var source] when types is [var item] && item == typeof(string) && OfStrings.TryGetValue(name, out var method) =>
                Expression.Call(method, source, Ordinal),
            [var source, var selector] when types is [_, var key] && key == typeof(string) =>
                ByKey.TryGetValue(name, out var method) ? Expression.Call(Of(method, types[0], call), source, selector, Ordinal)
                : name is nameof(Enumerable.Min) or nameof(Enumerable.Max)
                    ? Expression.Call(OfStrings[name], Expression.Call(Of(Select, types[0], call), source, selector), Ordinal)
                : null,
            _ => null,
        };
    }

    [UnconditionalSuppressMessage("Trimming", "IL2060", Justification = "The methods place no requirements on their type arguments.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "The code for classes exists, and value types are rejected.")]
    static MethodInfo Of(MethodInfo method, Type item, MethodCallExpression call)
    {
        if (item.IsValueType && !RuntimeFeature.IsDynamicCodeSupported)
            throw new NotSupportedException(
                $"{call.Method.Name} over the value type {item.Name} by a string is not supported in a natively compiled application. Pass StringComparer.Ordinal.");
        return method.MakeGenericMethod(item, typeof(string));
    }

    static MethodInfo Definition<TDelegate>(TDelegate method)
        where TDelegate : Delegate => Method(method).GetGenericMethodDefinition();

    static MethodInfo Method<TDelegate>(TDelegate method)
        where TDelegate : Delegate => method.Method;
}
