namespace System.Runtime.CompilerServices;

/// <summary>The type that the compiler requires for <c>init</c>, which .NET Standard 2.0 lacks.</summary>
static class IsExternalInit;
