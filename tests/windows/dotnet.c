/*
 * dotnet.exe, which no package has: hands its command line to the hostfxr of the folder that it lies in. The name "dotnet" of
 * the application lets hostfxr take the command line as that of `dotnet`.
 */
#include <windows.h>
#include <stdio.h>
#include <wchar.h>

#define LONGEST 32768

typedef int (*main_function)(const int argc, const wchar_t *argv[], const wchar_t *host, const wchar_t *root, const wchar_t *application);

static wchar_t host[LONGEST], root[LONGEST], pattern[LONGEST], library[LONGEST], application[LONGEST];

int wmain(int argc, wchar_t **argv) {
    GetModuleFileNameW(NULL, host, LONGEST);
    wcscpy(root, host);
    *wcsrchr(root, L'\\') = 0;
    swprintf(pattern, LONGEST, L"%ls\\host\\fxr\\1*", root);
    WIN32_FIND_DATAW found;
    HANDLE search = FindFirstFileW(pattern, &found);
    if (search == INVALID_HANDLE_VALUE) {
        fwprintf(stderr, L"no %ls\n", pattern);
        return 1;
    }

    FindClose(search);
    swprintf(library, LONGEST, L"%ls\\host\\fxr\\%ls\\hostfxr.dll", root, found.cFileName);
    HMODULE module = LoadLibraryW(library);
    if (module == NULL) {
        fwprintf(stderr, L"no %ls\n", library);
        return 1;
    }

    main_function run = (main_function)GetProcAddress(module, "hostfxr_main_startupinfo");
    swprintf(application, LONGEST, L"%ls\\dotnet.dll", root);
    return run(argc, (const wchar_t **)argv, host, root, application);
}
