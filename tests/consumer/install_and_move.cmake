# cmake -D BUILD=... -D PREFIX=... -P install_and_move.cmake: installs a build in one folder and moves that to PREFIX.
execute_process(COMMAND "${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${PREFIX}_first" COMMAND_ERROR_IS_FATAL ANY)
file(REMOVE_RECURSE "${PREFIX}")
file(RENAME "${PREFIX}_first" "${PREFIX}")
